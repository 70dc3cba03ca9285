//! Where the pixels of randomly turned, stretched, slanted, shifted and flipped images come from.
//! [`sample2d`](super::sample2d()) fetches them.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::{Spec, Tensor};

use super::random::{expect_strengths, uniform};

/// Row and column in the source of every pixel.
#[derive(Debug, Clone, Copy)]
struct AffinePositions {
    extents: [usize; 3],
}

/// Keeps these draws apart from other ops'.
const SALT: u32 = 11;

/// For `[images, height, width] = extents`, the source of every pixel as (row, column), `[n, h, w, 2]`,
/// under a map drawn for each image and step. `strengths` is `[8]`, each 0 for nothing: largest shift
/// in pixels, probability of a horizontal flip, largest shift in whole pixels, largest angle in
/// radians, largest logarithm of the scale, largest slant, unused.
///
/// # Errors
/// When there are no pixels, or the shapes do not fit.
pub fn affine_positions(
    graph: &mut Graph,
    strengths: ValueId,
    counters: ValueId,
    extents: [usize; 3],
) -> Result<ValueId> {
    graph.push(AffinePositions { extents }, &[strengths, counters])
}

/// Sine and cosine of an angle in -pi..pi, as the shader finds them.
fn sine_cosine(angle: f32) -> [f32; 2] {
    let half = 0.5 * angle;
    let z = half * half;
    let odd = 0.008_333_333 - z * (0.000_198_412_7 - z * (2.755_731_9e-6 - z * 2.505_210_8e-8));
    let even = 0.001_388_888_9 - z * (2.480_158_7e-5 - z * (2.755_732e-7 - z * 2.087_675_6e-9));
    let s = half * (1.0 - z * (0.166_666_67 - z * odd));
    let c = 1.0 - z * (0.5 - z * (0.041_666_667 - z * even));
    [2.0 * s * c, 1.0 - 2.0 * s * s]
}

impl Op for AffinePositions {
    fn name(&self) -> &'static str {
        "affine_positions"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [strengths, counters] = expect_inputs("affine_positions", inputs)?;
        expect_strengths("affine_positions", strengths, counters)?;
        let [n, h, w] = self.extents;
        if n * h * w == 0 {
            let found = format!("{:?}", self.extents);
            return Err(Error::mismatch("affine_positions", "pixels", found));
        }
        Ok(Spec::f32([n, h, w, 2]))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        let [n, h, w] = self.extents;
        let twin = move |args: &mut Args<'_>| {
            let (strengths, counters) = (args.read(0), args.read_words(1));
            let center = [(h as f32 - 1.0) * 0.5, (w as f32 - 1.0) * 0.5];
            let images = args.write(0).chunks_exact_mut(h * w * 2);
            for (image, positions) in (0..).zip(images) {
                let draw = |k: u32| uniform(counters, SALT, image * 8 + k);
                let both_ways = |k| 2.0 * draw(k) - 1.0;
                let [sine, cosine] = sine_cosine(strengths[3] * both_ways(0));
                let shrink = (-strengths[4] * both_ways(1)).exp();
                let slant = strengths[5] * both_ways(2);
                let mirror = if draw(3) < strengths[1] { -1.0 } else { 1.0 };
                let crop = |k| ((2.0 * strengths[2] + 1.0) * draw(k)).floor() - strengths[2];
                let shift = [
                    strengths[0] * both_ways(6) + crop(4),
                    strengths[0] * both_ways(7) + crop(5),
                ];
                for (i, position) in positions.chunks_exact_mut(2).enumerate() {
                    let row = (i / w) as f32 - center[0] - shift[0];
                    let column = (i % w) as f32 - center[1] - shift[1];
                    let slanted = column + slant * row;
                    let down = shrink * (cosine * row - sine * slanted);
                    let across = shrink * (sine * row + cosine * slanted);
                    position[0] = down + center[0];
                    position[1] = mirror * across + center[1];
                }
            }
        };
        let constants = [
            ("IMAGES", n),
            ("HEIGHT", h),
            ("WIDTH", w),
            ("SALT", SALT as usize),
        ];
        let threads = n * h * w;
        let kernel = Kernel::linear("affine_positions", SHADER, &constants, 2, threads, twin);
        Lowering::single(kernel, 2)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/affine_positions.wgsl");

/// Strengths for the examples of augmentations.
pub(super) fn strengths(values: &[f32]) -> Tensor {
    Tensor::from_fn([8], |i| values.get(i).copied().unwrap_or(0.0))
}

/// Counters for the examples of augmentations.
pub(super) fn counters(step: u32, seed: u32) -> Vec<(Spec, Vec<u32>)> {
    vec![(Spec::u32([4]), vec![step, seed, 0, 0])]
}

pub(super) const INFO: OpInfo = OpInfo {
    name: "affine_positions",
    doc: "Where the pixels of randomly moved images come from.",
    shaders: &[("affine_positions", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| affine_positions(g, x[0], x[1], [5, 7, 6]);
        let one = |g: &mut Graph, x: &[ValueId]| affine_positions(g, x[0], x[1], [1, 1, 1]);
        let every = [2.0, 0.5, 3.0, 1.0, 0.2, 0.3];
        let example = |name, values: &[f32], build| {
            Example::new(name, vec![strengths(values)], build)
                .with_words(counters(3, 9))
                .forward_only()
        };
        vec![
            example("every motion", &every, build),
            example("no motion", &[], build),
            example("always flipped", &[0.0, 1.0], build),
            example("any angle", &[0.0, 0.0, 0.0, std::f32::consts::PI], build),
            example("one pixel", &every, one),
            example("not a number", &[f32::NAN], build),
        ]
    },
};

#[cfg(test)]
mod tests {
    use super::sine_cosine;

    #[test]
    fn the_series_are_sine_and_cosine_to_rounding() {
        for i in -1000..=1000_i16 {
            let angle = std::f32::consts::PI * f32::from(i) / 1000.0;
            let (sine, cosine) = f64::from(angle).sin_cos();
            let found = sine_cosine(angle).map(f64::from);
            let error = (found[0] - sine).abs().max((found[1] - cosine).abs());
            assert!(error < 1e-6, "{angle}: {error:e}");
        }
    }
}
