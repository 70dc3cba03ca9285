//! Images read at positions between their pixels: the one gather behind every augmentation that moves
//! pixels (Jaderberg et al. 2015, "Spatial Transformer Networks", equations 5 and 6, without a gradient
//! of the positions).

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec, Tensor};

use super::sample2d_gradient::sample2d_gradient;
use super::testing::{nan, wave};

/// `y[n, i, j, c]` is `x[n, :, :, c]` at `positions[n, i, j]`, bilinearly.
#[derive(Debug, Clone, Copy)]
struct Sample2d {
    near: Option<usize>,
}

/// Reads images `x` `[n, h, w, c]` at `positions` `[n, h, w, 2]`, rows and columns counted from 0 at the
/// first pixel's center, bilinearly; outside of the image is 0.
///
/// # Errors
/// When the shapes do not fit.
pub fn sample2d(graph: &mut Graph, x: ValueId, positions: ValueId) -> Result<ValueId> {
    graph.push(Sample2d { near: None }, &[x, positions])
}

/// [`sample2d`] where no position is farther than `near` rows or columns from its own pixel, which spares
/// its gradient a search through the whole image.
///
/// # Errors
/// When the shapes do not fit.
pub fn sample2d_near(
    graph: &mut Graph,
    x: ValueId,
    positions: ValueId,
    near: usize,
) -> Result<ValueId> {
    graph.push(Sample2d { near: Some(near) }, &[x, positions])
}

/// Checks images `[n, h, w, c]` against positions `[n, h, w, 2]`.
pub(super) fn expect_positions(place: &str, x: &Spec, positions: &Spec) -> Result<()> {
    let [n, h, w, _] = expect_dtype(place, x, DType::F32)?.four(place)?;
    let expected = Spec::f32([n, h, w, 2]);
    if *positions == expected {
        return Ok(());
    }
    Err(Error::mismatch(
        format!("{place} positions"),
        expected.to_string(),
        positions.to_string(),
    ))
}

/// The two lines of pixels around `at`, and how far it is from the first to the second. Outside is
/// `None`; what is not finite is outside altogether.
pub(super) fn around(at: f32, extent: usize) -> ([Option<usize>; 2], f32) {
    let low = at.floor();
    let line = |at: f32| (at >= 0.0 && at < extent as f32).then_some(at as usize);
    ([line(low), line(low + 1.0)], at - low)
}

impl Op for Sample2d {
    fn name(&self) -> &'static str {
        "sample2d"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, positions] = expect_inputs("sample2d", inputs)?;
        expect_positions("sample2d", x, positions)?;
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let dx = sample2d_gradient(b.graph, b.dy, b.inputs[1], self.near)?;
        Ok(vec![Some(dx), None])
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let Ok([n, h, w, c]) = output.shape.four("sample2d") else {
            unreachable!("infer gave {output}")
        };
        let twin = move |args: &mut Args<'_>| {
            let (x, positions) = (args.read(0), args.read(1).chunks_exact(2));
            let pixels = args.write(0).chunks_exact_mut(c);
            for (i, (y, at)) in pixels.zip(positions).enumerate() {
                let image = &x[i / (h * w) * h * w * c..][..h * w * c];
                let (rows, down) = around(at[0], h);
                let (columns, right) = around(at[1], w);
                for (channel, y) in y.iter_mut().enumerate() {
                    let value = |row: Option<usize>, column: Option<usize>| match (row, column) {
                        (Some(row), Some(column)) => image[(row * w + column) * c + channel],
                        _ => 0.0,
                    };
                    let line = |row| {
                        let [left, beside] = columns.map(|column| value(row, column));
                        left * (1.0 - right) + beside * right
                    };
                    *y = line(rows[0]) * (1.0 - down) + line(rows[1]) * down;
                }
            }
        };
        let constants = [("IMAGES", n), ("HEIGHT", h), ("WIDTH", w), ("CHANNELS", c)];
        let threads = output.shape.elements();
        let kernel = Kernel::linear("sample2d", SHADER, &constants, 2, threads, twin);
        Lowering::single(kernel, 2)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/sample2d.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "sample2d",
    doc: "Images read at positions between their pixels.",
    shaders: &[("sample2d", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| sample2d(g, x[0], x[1]);
        let positions = |shape: [usize; 4], scale: f32| {
            let wave = wave(shape, 0.3).to_vec();
            Tensor::from_fn(shape, |i| scale * wave[i] + 0.4 * scale)
        };
        let example = |name, x: Tensor, positions: Tensor| {
            Example::new(name, vec![x, positions], build).forward_only()
        };
        let fixed = |g: &mut Graph, x: &[ValueId]| {
            let positions: Vec<f32> = (0..24).map(|i| (i * 7 % 10) as f32 * 0.35 - 0.5).collect();
            let positions = g.constant([2, 2, 3, 2], &positions)?;
            sample2d_near(g, x[0], positions, 3)
        };
        let whole = Tensor::from_fn([1, 2, 3, 2], |i| [2.0, 1.0][i % 2]);
        vec![
            Example::new("gradient", vec![wave([2, 2, 3, 2], 0.1)], fixed),
            example(
                "in and out",
                wave([2, 5, 4, 3], 0.1),
                positions([2, 5, 4, 2], 5.0),
            ),
            example("at pixels", wave([1, 2, 3, 1], 0.1), whole),
            example(
                "one pixel",
                wave([1, 1, 1, 1], 0.1),
                positions([1, 1, 1, 2], 0.5),
            ),
            example(
                "not a number",
                nan([1, 2, 3, 1]),
                positions([1, 2, 3, 2], 1.0),
            ),
        ]
    },
};
