//! Bilinear enlargement by a whole factor, pixels taken as areas (PyTorch's `align_corners=False`), and its
//! gradient. Enlargement by repetition needs no op: it is the transpose of average pooling.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec, Tensor};

use super::testing::wave;

/// `y` at row `r` is `x` interpolated at row `(r + 1/2) / factor - 1/2`, at least 0; columns likewise.
#[derive(Debug, Clone, Copy)]
struct Upsample {
    factor: usize,
}

/// The transpose of [`Upsample`].
#[derive(Debug, Clone, Copy)]
struct UpsampleGradient {
    factor: usize,
}

/// Enlarges `x` `[n, h, w, c]` to `[n, factor * h, factor * w, c]`.
///
/// # Errors
/// When `factor` is 0 or `x` is not a batch of float images.
pub fn upsample_bilinear2d(graph: &mut Graph, x: ValueId, factor: usize) -> Result<ValueId> {
    graph.push(Upsample { factor }, &[x])
}

/// `[images, height, width, channels]` of the small side.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    images: usize,
    height: usize,
    width: usize,
    channels: usize,
    factor: usize,
}

impl Sizes {
    fn of(place: &str, x: &Spec, factor: usize) -> Result<Self> {
        let [images, height, width, channels] = expect_dtype(place, x, DType::F32)?.four(place)?;
        if factor == 0 || x.shape.elements() == 0 {
            let expected = "a factor above 0 and pixels";
            return Err(Error::mismatch(place, expected, format!("{factor}, {x}")));
        }
        Ok(Self {
            images,
            height,
            width,
            channels,
            factor,
        })
    }

    fn constants(&self) -> [(&'static str, usize); 5] {
        [
            ("IMAGES", self.images),
            ("HEIGHT", self.height),
            ("WIDTH", self.width),
            ("CHANNELS", self.channels),
            ("FACTOR", self.factor),
        ]
    }

    /// The two small pixels around large pixel `at` of an axis of `size` small ones, and the second's weight.
    fn source(&self, at: usize, size: usize) -> (usize, usize, f32) {
        // In units of 1 / (2 factor), where everything is a whole number.
        let position = (2 * at + 1).saturating_sub(self.factor);
        let first = (position / (2 * self.factor)).min(size - 1);
        let weight = (position % (2 * self.factor)) as f32 / (2 * self.factor) as f32;
        (first, (first + 1).min(size - 1), weight)
    }

    /// Calls `visit(small, large, weight)` for the four small pixels around each large one; the
    /// indices are those of channel 0.
    fn for_each_pair(&self, mut visit: impl FnMut(usize, usize, f32)) {
        let [height, width] = [self.height * self.factor, self.width * self.factor];
        for row in 0..self.images * height {
            let (image, y) = (row / height, row % height);
            let (top, bottom, down) = self.source(y, self.height);
            for column in 0..width {
                let (left, right, across) = self.source(column, self.width);
                let large = (row * width + column) * self.channels;
                for (y, v) in [(top, 1.0 - down), (bottom, down)] {
                    for (x, h) in [(left, 1.0 - across), (right, across)] {
                        let small = (image * self.height + y) * self.width + x;
                        visit(small * self.channels, large, v * h);
                    }
                }
            }
        }
    }
}

impl Op for Upsample {
    fn name(&self) -> &'static str {
        "upsample_bilinear2d"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("upsample_bilinear2d", inputs)?;
        let s = Sizes::of("upsample_bilinear2d", x, self.factor)?;
        let (height, width) = (s.height * s.factor, s.width * s.factor);
        Ok(Spec::f32([s.images, height, width, s.channels]))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let factor = self.factor;
        Ok(vec![Some(
            b.graph.push(UpsampleGradient { factor }, &[b.dy])?,
        )])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let Ok(sizes) = Sizes::of("upsample_bilinear2d", &inputs[0], self.factor) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let twin = move |args: &mut Args<'_>| {
            let (x, channels) = (args.read(0), sizes.channels);
            let y = args.write(0);
            y.fill(0.0);
            sizes.for_each_pair(|small, large, weight| {
                let x = &x[small..small + channels];
                let y = &mut y[large..large + channels];
                y.iter_mut().zip(x).for_each(|(y, x)| *y += weight * x);
            });
        };
        let (constants, threads) = (sizes.constants(), output.shape.elements());
        let name = "upsample_bilinear2d";
        let kernel = Kernel::tailed(name, SHADER, &constants, 1, threads, twin);
        Lowering::single(kernel, 1)
    }
}

impl Op for UpsampleGradient {
    fn name(&self) -> &'static str {
        "upsample_bilinear2d_gradient"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let place = "upsample_bilinear2d_gradient";
        let [dy] = expect_inputs(place, inputs)?;
        let large = Sizes::of(place, dy, self.factor)?;
        let divides = |extent: usize| extent.is_multiple_of(self.factor);
        if !divides(large.height) || !divides(large.width) {
            let expected = format!("sides divisible by {}", self.factor);
            return Err(Error::mismatch(place, expected, dy.to_string()));
        }
        let (height, width) = (large.height / self.factor, large.width / self.factor);
        Ok(Spec::f32([large.images, height, width, large.channels]))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        Ok(vec![Some(upsample_bilinear2d(b.graph, b.dy, self.factor)?)])
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let place = "upsample_bilinear2d_gradient";
        let Ok(sizes) = Sizes::of(place, output, self.factor) else {
            unreachable!("infer made {output}")
        };
        let twin = move |args: &mut Args<'_>| {
            let (dy, channels) = (args.read(0), sizes.channels);
            let dx = args.write(0);
            dx.fill(0.0);
            sizes.for_each_pair(|small, large, weight| {
                let dy = &dy[large..large + channels];
                let dx = &mut dx[small..small + channels];
                dx.iter_mut()
                    .zip(dy)
                    .for_each(|(dx, dy)| *dx += weight * dy);
            });
        };
        let (constants, threads) = (sizes.constants(), output.shape.elements());
        let kernel = Kernel::tailed(place, GRADIENT_SHADER, &constants, 1, threads, twin);
        Lowering::single(kernel, 1)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/upsample_bilinear2d.wgsl");
const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/upsample_bilinear2d_gradient.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "upsample_bilinear2d",
    doc: "Enlargement by a whole factor with bilinear interpolation.",
    shaders: &[
        ("upsample_bilinear2d", SHADER),
        ("upsample_bilinear2d_gradient", GRADIENT_SHADER),
    ],
    examples: || {
        let twice = |g: &mut Graph, x: &[ValueId]| upsample_bilinear2d(g, x[0], 2);
        let thrice = |g: &mut Graph, x: &[ValueId]| upsample_bilinear2d(g, x[0], 3);
        let down = |g: &mut Graph, x: &[ValueId]| g.push(UpsampleGradient { factor: 2 }, x);
        vec![
            Example::new("twice", vec![wave([2, 2, 3, 2], 0.1)], twice),
            Example::new("thrice", vec![wave([1, 3, 2, 1], 0.1)], thrice),
            Example::new("transposed", vec![wave([1, 4, 6, 2], 0.1)], down),
            Example::new("one element", vec![wave([1, 1, 1, 1], 0.1)], thrice),
            // Infinities times weights of zero are up to the order of the sum.
            Example::new(
                "not a number",
                vec![Tensor::from_fn([1, 2, 2, 1], |_| f32::NAN)],
                twice,
            )
            .forward_only(),
        ]
    },
};
