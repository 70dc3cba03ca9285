//! Squares cut out of images at random places (`DeVries` & Taylor 2017, "Improved Regularization of
//! Convolutional Neural Networks with Cutout").

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::affine_positions::{counters, strengths};
use super::random::{expect_strengths, uniform};
use super::testing::{nan, wave};

/// `y` is `fill` within the square, `x` elsewhere.
#[derive(Debug, Clone, Copy)]
struct Cutout;

/// Keeps these draws apart from other ops'.
const SALT: u32 = 14;

/// Images `x` `[n, h, w, c]` with a square of `fill` `[c]` around a pixel drawn for each image and step;
/// near the border a part of the square falls off. `strengths` is `[8]`: side in whole pixels, unused.
///
/// # Errors
/// When the shapes do not fit.
pub fn cutout(
    graph: &mut Graph,
    x: ValueId,
    strengths: ValueId,
    counters: ValueId,
    fill: ValueId,
) -> Result<ValueId> {
    graph.push(Cutout, &[x, strengths, fill, counters])
}

impl Op for Cutout {
    fn name(&self) -> &'static str {
        "cutout"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, strengths, fill, counters] = expect_inputs("cutout", inputs)?;
        expect_strengths("cutout", strengths, counters)?;
        let [_, _, _, c] = expect_dtype("cutout", x, DType::F32)?.four("cutout")?;
        if *fill != Spec::f32([c]) {
            let expected = format!("a fill {}", Spec::f32([c]));
            return Err(Error::mismatch("cutout", expected, fill.to_string()));
        }
        Ok(x.clone())
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let Ok([n, h, w, c]) = output.shape.four("cutout") else {
            unreachable!("infer gave {output}")
        };
        let twin = move |args: &mut Args<'_>| {
            let (x, side) = (args.read(0), args.read(1)[0].floor());
            let (counters, fill) = (args.read_words(2), args.read(3));
            let y = args.write(0);
            y.copy_from_slice(x);
            for (image, y) in (0..).zip(y.chunks_exact_mut((h * w * c).max(1))) {
                let first = |extent: usize, k: u32| {
                    let center = (extent as f32 * uniform(counters, SALT, image * 2 + k)).floor();
                    center - (0.5 * side).floor()
                };
                let within = |at: usize, first: f32| (first..first + side).contains(&(at as f32));
                let (top, left) = (first(h, 0), first(w, 1));
                for (row, y) in y.chunks_exact_mut(w * c).enumerate() {
                    for (column, y) in y.chunks_exact_mut(c).enumerate() {
                        if within(row, top) && within(column, left) {
                            y.copy_from_slice(fill);
                        }
                    }
                }
            }
        };
        let constants = [
            ("IMAGES", n),
            ("HEIGHT", h),
            ("WIDTH", w),
            ("CHANNELS", c),
            ("SALT", SALT as usize),
        ];
        let threads = output.shape.elements();
        let kernel = Kernel::linear("cutout", SHADER, &constants, 4, threads, twin);
        let bindings = [0, 1, 3, 2].map(crate::graph::Slot::Input).to_vec();
        Lowering::Kernels {
            scratch: Vec::new(),
            calls: vec![crate::graph::Call {
                kernel,
                bindings: [bindings, vec![crate::graph::Slot::Output]].concat(),
            }],
        }
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/cutout.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "cutout",
    doc: "A square cut out of each image at a random place.",
    shaders: &[("cutout", SHADER)],
    examples: || {
        let example = |name, x: crate::tensor::Tensor, side| {
            let fill = wave([x.shape().last()], 2.0);
            Example::new(name, vec![x, strengths(&[side]), fill], |g, x| {
                cutout(g, x[0], x[1], x[3], x[2])
            })
            .with_words(counters(3, 9))
            .forward_only()
        };
        vec![
            example("odd side", wave([4, 6, 5, 3], 0.1), 3.0),
            example("even side", wave([4, 6, 5, 1], 0.1), 2.0),
            example("no square", wave([2, 3, 3, 1], 0.1), 0.0),
            example("one pixel", wave([1, 1, 1, 1], 0.1), 1.0),
            example("not a number", nan([2, 3, 3, 1]), 2.0),
        ]
    },
};
