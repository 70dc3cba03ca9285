//! The gradient of a convolution with respect to its input: a transposed convolution (Zeiler et al.
//! 2010, "Deconvolutional networks"; Dumoulin & Visin 2016).

use crate::error::Result;
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::super::testing::{nan, wave};
use super::super::tile::{MOST_SUMS, Tile, Turn, cheapest, cost_beside, is_short};
use super::geometry::Geometry;
use super::{Conv2d, NARROW, config, conv2d, conv2d_weight_gradient, tiled, twins};

/// The transpose of the convolution with these settings, for inputs of this size.
#[derive(Debug, Clone, Copy)]
struct InputGradient {
    config: Conv2d,
    input: [usize; 2],
}

/// Gradient of `conv2d(x, w, config)` with respect to `x` `[n, h, w, ci]`, where `input` is
/// `[h, w]`, given `dy` `[n, oh, ow, co]`.
///
/// # Errors
/// When `dy` is not the shape that the convolution gives for such an input.
pub fn conv2d_input_gradient(
    graph: &mut Graph,
    dy: ValueId,
    w: ValueId,
    config: Conv2d,
    input: [usize; 2],
) -> Result<ValueId> {
    graph.push(InputGradient { config, input }, &[dy, w])
}

impl InputGradient {
    fn geometry(&self, inputs: &[Spec]) -> Result<Geometry> {
        let place = "conv2d_input_gradient";
        let [dy, w] = expect_inputs(place, inputs)?;
        let [images, ..] = expect_dtype(place, dy, DType::F32)?.four(place)?;
        let [kh, kw, per_group, co] = expect_dtype(place, w, DType::F32)?.four(place)?;
        let [height, width] = self.input;
        let x = [images, height, width, per_group * self.config.groups];
        Geometry::new(place, self.config, x, [kh, kw], co)?.with_output(place, dy)
    }
}

impl Op for InputGradient {
    fn name(&self) -> &'static str {
        "conv2d_input_gradient"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        Ok(Spec::f32(self.geometry(inputs)?.x_dims()))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let [dy, w] = [b.inputs[0], b.inputs[1]];
        let [kh, kw, ..] = b.graph.shape(w).four("conv2d_input_gradient")?;
        let ddy = match b.wanted[0] {
            true => Some(conv2d(b.graph, b.dy, w, self.config)?),
            false => None,
        };
        let dw = match b.wanted[1] {
            true => Some(conv2d_weight_gradient(
                b.graph,
                b.dy,
                dy,
                self.config,
                [kh, kw],
            )?),
            false => None,
        };
        Ok(vec![ddy, dw])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let Ok(geometry) = self.geometry(inputs) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let twin = move |args: &mut Args<'_>| twins::input_gradient(&geometry, args);
        let [images, height, width, _] = geometry.x_dims();
        let name = self.name();
        let kernel = if geometry.is_dense() {
            let (rows, spread) = (rows(&geometry), spread(&geometry));
            // Where the output is much narrower, taps that collect meet many pixels beyond its edge.
            let (name, source, unrolled) = match spread.filter(|spread| spread.cost < rows.cost) {
                Some(spread) => ("conv2d_input_gradient_spread", SPREAD_SHADER, spread),
                None => ("conv2d_input_gradient_rows", ROWS_SHADER, rows),
            };
            Kernel::tailed(name, source, &unrolled.constants, 2, unrolled.threads, twin)
        } else if geometry.inputs < NARROW {
            let (constants, threads) = (geometry.constants(), output.shape.elements());
            let name = "conv2d_input_gradient_narrow";
            Kernel::linear(name, NARROW_SHADER, &constants, 2, threads, twin)
        } else {
            let blocks = geometry.config.groups * geometry.inputs.div_ceil(8);
            let threads = (images * height * width).div_ceil(4) * blocks;
            Kernel::linear(name, SHADER, &geometry.constants(), 2, threads, twin)
        };
        Lowering::single(kernel.with_tiled(geometry.tiled_input_gradient()), 2)
    }
}

/// An unrolled kernel: its constants, its threads, and what it costs.
struct Unrolled {
    constants: Vec<(&'static str, usize)>,
    threads: usize,
    cost: u64,
}

/// The kernel for pixels of one phase. Of `stride` neighboring pixels each belongs to another phase: another set of taps
/// reaches it.
fn rows(geometry: &Geometry) -> Unrolled {
    let [kernel_y, kernel_x] = geometry.kernel;
    let [stride_y, stride] = geometry.config.stride;
    let taps = kernel_x.div_ceil(stride);
    let (width, inputs) = (geometry.input[1].div_ceil(stride), geometry.inputs);
    let threads = |[images, pixels, channels, ..]: Tile| {
        let blocks = stride * width.div_ceil(pixels) * inputs.div_ceil(channels);
        geometry.images / images * geometry.input[0] * blocks
    };
    let price = |tile: Tile| {
        let [images, pixels, channels, ..] = tile;
        let sums = images * pixels * channels;
        let turn = Turn {
            loads: images * (pixels + taps - 1) + taps * channels,
            multiply_adds: taps * sums,
            sums,
        };
        let fits =
            is_short(turn, geometry.work(), MOST_SUMS) && geometry.images.is_multiple_of(images);
        let turns = kernel_y.div_ceil(stride_y) * geometry.outputs;
        fits.then(|| cost_beside(threads(tile), turns, turn))
    };
    let (cost, tile) = cheapest([4, width.min(32), inputs.min(16), 1, 1], &price);
    let [images, pixels, channels, ..] = tile;
    Unrolled {
        constants: geometry.dense_constants([
            ("TOGETHER", images),
            ("PIXELS", pixels),
            ("CHANNELS", channels),
            (
                "short_row",
                usize::from(!geometry.input[1].is_multiple_of(stride * pixels)),
            ),
            ("short_block", usize::from(!inputs.is_multiple_of(channels))),
            ("PHASE_TAPS", taps),
            ("columns", pixels + taps - 1),
            ("uneven", usize::from(!kernel_x.is_multiple_of(stride))),
        ]),
        threads: threads(tile),
        cost,
    }
}

/// The kernel for whole rows of a convolution that neither pads nor strides, if they are not too long for it.
fn spread(geometry: &Geometry) -> Option<Unrolled> {
    let ([height, width], [out_height, out_width]) = (geometry.input, geometry.output);
    let ([kernel_y, kernel_x], inputs) = (geometry.kernel, geometry.inputs);
    let config = geometry.config;
    if config.stride != [1; 2] || config.padding != [[0; 2]; 2] {
        return None;
    }
    let threads = |[images, channels, ..]: Tile| {
        geometry.images / images * height * inputs.div_ceil(channels)
    };
    let price = |tile: Tile| {
        let [images, channels, ..] = tile;
        let turn = Turn {
            loads: images * out_width + kernel_x * channels,
            multiply_adds: images * out_width * kernel_x * channels,
            sums: images * width * channels,
        };
        let fits =
            is_short(turn, geometry.work(), MOST_SUMS) && geometry.images.is_multiple_of(images);
        // Rows near the edges are reached by fewer rows of taps.
        let turns = kernel_y * geometry.outputs * out_height / height;
        fits.then(|| cost_beside(threads(tile), turns, turn))
    };
    let (cost, tile) = cheapest([4, inputs.min(16), 1, 1, 1], &price);
    let [images, channels, ..] = tile;
    let mut constants = geometry.dense_constants([
        ("TOGETHER", images),
        ("CHANNELS", channels),
        ("short_block", usize::from(!inputs.is_multiple_of(channels))),
    ]);
    constants.retain(|(name, _)| !name.starts_with("STRIDE") && !name.starts_with("PAD"));
    (cost < u64::MAX).then_some(Unrolled {
        constants,
        threads: threads(tile),
        cost,
    })
}

const SPREAD_SHADER: &str = crate::wgsl!("../../../shaders/conv2d_input_gradient_spread.wgsl");
const ROWS_SHADER: &str = crate::wgsl!("../../../shaders/conv2d_input_gradient_rows.wgsl");
const SHADER: &str = crate::wgsl!("../../../shaders/conv2d_input_gradient.wgsl");
const NARROW_SHADER: &str = crate::wgsl!("../../../shaders/conv2d_input_gradient_narrow.wgsl");

pub(in super::super) const INFO: OpInfo = OpInfo {
    name: "conv2d_input_gradient",
    doc: "Transposed convolution: the gradient of a convolution with respect to its input.",
    shaders: &[
        ("conv2d_input_gradient_spread", SPREAD_SHADER),
        ("conv2d_input_gradient_rows", ROWS_SHADER),
        ("conv2d_input_gradient", SHADER),
        ("conv2d_input_gradient_narrow", NARROW_SHADER),
        tiled::SHADERS[3],
    ],
    examples: || {
        let inputs = |dy: [usize; 4], w: [usize; 4]| vec![wave(dy, 0.1), wave(w, 0.4)];
        vec![
            Example::new("padded", inputs([2, 3, 4, 3], [3, 3, 5, 3]), |g, x| {
                conv2d_input_gradient(g, x[0], x[1], config(1, 1, 1, 1), [3, 4])
            }),
            Example::new("whole rows", inputs([2, 3, 4, 3], [3, 3, 11, 3]), |g, x| {
                conv2d_input_gradient(g, x[0], x[1], config(1, 0, 1, 1), [5, 6])
            }),
            Example::new("strided", inputs([1, 3, 3, 2], [3, 3, 9, 2]), |g, x| {
                conv2d_input_gradient(g, x[0], x[1], config(2, 1, 1, 1), [6, 5])
            }),
            Example::new("dilated", inputs([1, 4, 3, 2], [2, 3, 4, 2]), |g, x| {
                conv2d_input_gradient(g, x[0], x[1], config(1, 0, 2, 1), [6, 7])
            }),
            Example::new("grouped", inputs([1, 2, 2, 4], [2, 2, 5, 4]), |g, x| {
                conv2d_input_gradient(g, x[0], x[1], config(1, 0, 1, 2), [3, 3])
            }),
            Example::new("depthwise", inputs([2, 2, 2, 3], [3, 3, 1, 3]), |g, x| {
                conv2d_input_gradient(g, x[0], x[1], config(2, 1, 1, 3), [4, 3])
            }),
            Example::new("pointwise", inputs([1, 2, 3, 3], [1, 1, 4, 3]), |g, x| {
                conv2d_input_gradient(g, x[0], x[1], Conv2d::default(), [2, 3])
            }),
            Example::new("one element", inputs([1, 1, 1, 1], [1, 1, 1, 1]), |g, x| {
                conv2d_input_gradient(g, x[0], x[1], Conv2d::default(), [1, 1])
            }),
            Example::new(
                "not a number",
                vec![nan([1, 2, 2, 3]), wave([2, 2, 4, 3], 0.4)],
                |g, x| conv2d_input_gradient(g, x[0], x[1], Conv2d::default(), [3, 3]),
            )
            .forward_only(),
        ]
    },
};
