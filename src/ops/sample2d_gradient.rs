//! The gradient of images read at positions between their pixels: what was read from a pixel is added to it.

use crate::error::Result;
use crate::graph::{Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::{Spec, Tensor};

use super::sample2d::{around, expect_positions, sample2d, sample2d_near};
use super::testing::{nan, wave};

/// `dx[n, r, s, c]` is the sum of `dy[n, i, j, c]` over all `i, j` whose position is within a pixel of
/// `r, s`, weighted as [`sample2d`] weighted it.
#[derive(Debug, Clone, Copy)]
struct Sample2dGradient {
    near: Option<usize>,
}

/// Spreads `dy` `[n, h, w, c]` to the pixels that it was read from at `positions` `[n, h, w, 2]`. With
/// `near`, positions farther than that from their own pixel are a caller's mistake: the GPU does not
/// find them.
///
/// # Errors
/// When the shapes do not fit.
pub fn sample2d_gradient(
    graph: &mut Graph,
    dy: ValueId,
    positions: ValueId,
    near: Option<usize>,
) -> Result<ValueId> {
    graph.push(Sample2dGradient { near }, &[dy, positions])
}

impl Op for Sample2dGradient {
    fn name(&self) -> &'static str {
        "sample2d_gradient"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy, positions] = expect_inputs("sample2d_gradient", inputs)?;
        expect_positions("sample2d_gradient", dy, positions)?;
        Ok(dy.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let positions = b.inputs[1];
        let ddy = match self.near {
            Some(near) => sample2d_near(b.graph, b.dy, positions, near)?,
            None => sample2d(b.graph, b.dy, positions)?,
        };
        Ok(vec![Some(ddy), None])
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let Ok([n, h, w, c]) = output.shape.four("sample2d_gradient") else {
            unreachable!("infer gave {output}")
        };
        let twin = move |args: &mut Args<'_>| {
            let (dy, positions) = (args.read(0), args.read(1).chunks_exact(2));
            let dx = args.write(0);
            dx.fill(0.0);
            for (i, (dy, at)) in dy.chunks_exact(c).zip(positions).enumerate() {
                let image = &mut dx[i / (h * w) * h * w * c..][..h * w * c];
                let (rows, down) = around(at[0], h);
                let (columns, right) = around(at[1], w);
                let corners = [
                    (rows[0], columns[0], (1.0 - down) * (1.0 - right)),
                    (rows[0], columns[1], (1.0 - down) * right),
                    (rows[1], columns[0], down * (1.0 - right)),
                    (rows[1], columns[1], down * right),
                ];
                for (row, column, weight) in corners {
                    if let (Some(row), Some(column)) = (row, column) {
                        let dx = &mut image[(row * w + column) * c..][..c];
                        dx.iter_mut().zip(dy).for_each(|(x, y)| *x += weight * y);
                    }
                }
            }
        };
        let near = self.near.unwrap_or(usize::MAX).min(h.max(w));
        let constants = [
            ("IMAGES", n),
            ("HEIGHT", h),
            ("WIDTH", w),
            ("CHANNELS", c),
            // A position within a pixel of another pixel than the nearest.
            ("NEAR", near + 1),
        ];
        let threads = output.shape.elements();
        let kernel = Kernel::linear("sample2d_gradient", SHADER, &constants, 2, threads, twin);
        Lowering::single(kernel, 2)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/sample2d_gradient.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "sample2d_gradient",
    doc: "The gradient of images read at positions between their pixels.",
    shaders: &[("sample2d_gradient", SHADER)],
    examples: || {
        let whole = |g: &mut Graph, x: &[ValueId]| sample2d_gradient(g, x[0], x[1], None);
        let near = |g: &mut Graph, x: &[ValueId]| sample2d_gradient(g, x[0], x[1], Some(2));
        let anywhere = |shape: [usize; 4], scale: f32| {
            let wave = wave(shape, 0.3).to_vec();
            Tensor::from_fn(shape, |i| scale * wave[i] + 0.4 * scale)
        };
        // Each pixel's own place in 5 by 4, and up to 1.5 away from it.
        let moved = wave([2, 5, 4, 2], 0.7).to_vec();
        let around = Tensor::from_fn([2, 5, 4, 2], |i| {
            let own = [i / 8 % 5, i / 2 % 4][i % 2] as f32;
            own + 1.5 * moved[i]
        });
        let fixed = |g: &mut Graph, x: &[ValueId]| {
            let positions: Vec<f32> = (0..24).map(|i| (i * 7 % 10) as f32 * 0.35 - 0.5).collect();
            let positions = g.constant([2, 2, 3, 2], &positions)?;
            sample2d_gradient(g, x[0], positions, None)
        };
        let example = |name, dy: Tensor, positions: Tensor, build| {
            Example::new(name, vec![dy, positions], build).forward_only()
        };
        vec![
            Example::new("gradient", vec![wave([2, 2, 3, 2], 0.1)], fixed),
            example(
                "anywhere",
                wave([2, 5, 4, 3], 0.1),
                anywhere([2, 5, 4, 2], 5.0),
                whole,
            ),
            example("nearby", wave([2, 5, 4, 3], 0.1), around, near),
            example(
                "one pixel",
                wave([1, 1, 1, 1], 0.1),
                anywhere([1, 1, 1, 2], 0.5),
                whole,
            ),
            example(
                "not a number",
                nan([1, 2, 3, 1]),
                anywhere([1, 2, 3, 2], 1.0),
                whole,
            ),
        ]
    },
};
