//! Random changes of brightness, contrast and saturation, as torchvision's `ColorJitter` makes them, in
//! that order.

use crate::error::{Error, Result};
use crate::graph::{
    Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::affine_positions::{counters, strengths};
use super::random::{expect_strengths, uniform};
use super::testing::nan;

/// `b x`, then `c x + (1 - c) mean gray`, then `s x + (1 - s) gray`, each limited to 0..1.
#[derive(Debug, Clone, Copy)]
struct ColorJitter;

/// Keeps these draws apart from other ops'.
const SALT: u32 = 13;

/// Changes the colors of images `x` `[n, h, w, c]` in 0..1 by factors drawn for each image and step.
/// `strengths` is `[8]`: the largest change of brightness, of contrast and of saturation, unused.
///
/// # Errors
/// When the shapes do not fit.
pub fn color_jitter(
    graph: &mut Graph,
    x: ValueId,
    strengths: ValueId,
    counters: ValueId,
) -> Result<ValueId> {
    graph.push(ColorJitter, &[x, strengths, counters])
}

/// Luma of ITU-R BT.601 for three channels, the mean for any other number, of `f` of each.
fn gray(pixel: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    if let [r, g, b] = *pixel {
        return 0.299 * f(r) + 0.587 * f(g) + 0.114 * f(b);
    }
    let sum: f32 = pixel.iter().map(|&x| f(x)).sum();
    sum / pixel.len() as f32
}

/// Limited to 0..1, as the shaders do it; what is not a number becomes 0.
fn limited(x: f32) -> f32 {
    if x > 0.0 { x.min(1.0) } else { 0.0 }
}

impl Op for ColorJitter {
    fn name(&self) -> &'static str {
        "color_jitter"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, strengths, counters] = expect_inputs("color_jitter", inputs)?;
        expect_strengths("color_jitter", strengths, counters)?;
        expect_dtype("color_jitter", x, DType::F32)?.four("color_jitter")?;
        if x.shape.elements() == 0 {
            return Err(Error::mismatch("color_jitter", "pixels", x.to_string()));
        }
        Ok(x.clone())
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let Ok([n, h, w, c]) = output.shape.four("color_jitter") else {
            unreachable!("infer gave {output}")
        };
        let draws_twin = move |args: &mut Args<'_>| {
            let (x, strengths) = (args.read(0).chunks_exact(h * w * c), args.read(1));
            let counters = args.read_words(2);
            let images = x.zip(args.write(0).chunks_exact_mut(4));
            for (image, (x, draws)) in (0..).zip(images) {
                for (k, (draw, strength)) in (0..).zip(draws.iter_mut().zip(&strengths[..3])) {
                    let both_ways = 2.0 * uniform(counters, SALT, image * 4 + k) - 1.0;
                    *draw = 1.0 + strength * both_ways;
                }
                let bright = draws[0];
                let sum: f32 = x
                    .chunks_exact(c)
                    .map(|pixel| gray(pixel, |x| limited(bright * x)))
                    .sum();
                draws[3] = sum / (h * w) as f32;
            }
        };
        let twin = move |args: &mut Args<'_>| {
            let (x, draws) = (args.read(0), args.read(1).chunks_exact(4));
            let images = x.chunks_exact(h * w * c).zip(draws);
            for (y, (x, draw)) in args.write(0).chunks_exact_mut(h * w * c).zip(images) {
                let contrasted = |x: f32| {
                    let bright = limited(draw[0] * x);
                    limited(draw[1] * bright + (1.0 - draw[1]) * draw[3])
                };
                for (y, x) in y.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                    let gray = gray(x, contrasted);
                    for (y, &x) in y.iter_mut().zip(x) {
                        let saturated = draw[2] * contrasted(x) + (1.0 - draw[2]) * gray;
                        *y = limited(saturated);
                    }
                }
            }
        };
        let extents = [("IMAGES", n), ("PIXELS", h * w), ("CHANNELS", c)];
        let mut salted = extents.to_vec();
        salted.push(("SALT", SALT as usize));
        let (name, source) = ("color_draws", DRAWS_SHADER);
        let drawing = Kernel::linear(name, source, &salted, 3, n, draws_twin);
        let jitter = Kernel::linear("color_jitter", SHADER, &extents, 2, n * h * w, twin);
        let (x, draws) = (Slot::Input(0), Slot::Scratch(0));
        Lowering::Kernels {
            scratch: vec![4 * n],
            calls: vec![
                Call {
                    kernel: drawing,
                    bindings: vec![x, Slot::Input(1), Slot::Input(2), draws],
                },
                Call {
                    kernel: jitter,
                    bindings: vec![x, draws, Slot::Output],
                },
            ],
        }
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/color_jitter.wgsl");
const DRAWS_SHADER: &str = crate::wgsl!("../../shaders/color_draws.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "color_jitter",
    doc: "Random changes of brightness, contrast and saturation.",
    shaders: &[("color_draws", DRAWS_SHADER), ("color_jitter", SHADER)],
    examples: || {
        let images = |shape: [usize; 4]| {
            crate::tensor::Tensor::from_fn(shape, |i| (i * 37 % 101) as f32 / 100.0)
        };
        let example = |name, x, values: &[f32]| {
            Example::new(name, vec![x, strengths(values)], |g, x| {
                color_jitter(g, x[0], x[1], x[2])
            })
            .with_words(counters(3, 9))
            .forward_only()
        };
        vec![
            example("colors", images([3, 4, 5, 3]), &[0.4, 0.3, 0.8]),
            example("gray images", images([3, 4, 5, 1]), &[0.4, 0.3, 0.8]),
            example("two channels", images([3, 4, 5, 2]), &[0.4, 0.3, 0.8]),
            example("no change", images([2, 2, 3, 3]), &[]),
            example("one pixel", images([1, 1, 1, 3]), &[1.0, 1.0, 1.0]),
            example("not a number", nan([1, 2, 3, 1]), &[]),
        ]
    },
};
