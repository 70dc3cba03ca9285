//! The gradient of a convolution with respect to its filters. It sums over all pixels of the batch
//! and gives few numbers, so that one thread per weight would leave a GPU idle: rows of pixels are
//! cut into chunks, each chunk gives partial sums, and a second kernel adds them in a fixed order.

use crate::error::Result;
use crate::graph::{
    Backward, Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_dtype,
    expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::super::testing::{nan, wave};
use super::super::tile::{PARTIAL, Tile, Turn, cheapest, cost, is_short};
use super::super::window::split_reduction;
use super::geometry::Geometry;
use super::{Conv2d, NARROW, config, conv2d, conv2d_input_gradient, tiled, twins};

/// The filters' gradient for filters of this size.
#[derive(Debug, Clone, Copy)]
struct WeightGradient {
    config: Conv2d,
    kernel: [usize; 2],
}

/// Gradient of `conv2d(x, w, config)` with respect to `w` `[kh, kw, ci / groups, co]`, where
/// `kernel` is `[kh, kw]`, given `x` `[n, h, w, ci]` and `dy` `[n, oh, ow, co]`.
///
/// # Errors
/// When `dy` is not the shape that the convolution gives for `x`.
pub fn conv2d_weight_gradient(
    graph: &mut Graph,
    x: ValueId,
    dy: ValueId,
    config: Conv2d,
    kernel: [usize; 2],
) -> Result<ValueId> {
    graph.push(WeightGradient { config, kernel }, &[x, dy])
}

impl WeightGradient {
    fn geometry(&self, inputs: &[Spec]) -> Result<Geometry> {
        let place = "conv2d_weight_gradient";
        let [x, dy] = expect_inputs(place, inputs)?;
        let x_dims = expect_dtype(place, x, DType::F32)?.four(place)?;
        let [.., co] = expect_dtype(place, dy, DType::F32)?.four(place)?;
        Geometry::new(place, self.config, x_dims, self.kernel, co)?.with_output(place, dy)
    }
}

impl Op for WeightGradient {
    fn name(&self) -> &'static str {
        "conv2d_weight_gradient"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        Ok(Spec::f32(self.geometry(inputs)?.w_dims()))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let [x, dy] = [b.inputs[0], b.inputs[1]];
        let [_, height, width, _] = b.graph.shape(x).four("conv2d_weight_gradient")?;
        let dx = match b.wanted[0] {
            true => Some(conv2d_input_gradient(
                b.graph,
                dy,
                b.dy,
                self.config,
                [height, width],
            )?),
            false => None,
        };
        let ddy = match b.wanted[1] {
            true => Some(conv2d(b.graph, x, b.dy, self.config)?),
            false => None,
        };
        Ok(vec![dx, ddy])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let Ok(geometry) = self.geometry(inputs) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let weights = output.shape.elements();
        let (name, source, mut constants, [blocks, least]) = if geometry.is_dense() {
            let (constants, blocks) = rows(&geometry);
            (
                "conv2d_weight_gradient_rows",
                ROWS_SHADER,
                constants,
                blocks,
            )
        } else if geometry.outputs < NARROW {
            let name = "conv2d_weight_gradient_narrow";
            (
                name,
                NARROW_SHADER,
                geometry.constants(),
                [weights, LEAST_PIXELS[0]],
            )
        } else {
            let columns = geometry.config.groups * geometry.outputs.div_ceil(8);
            let blocks = geometry.taps_by_inputs().div_ceil(4) * columns;
            let threads = [blocks, LEAST_PIXELS[0]];
            (self.name(), SHADER, geometry.constants(), threads)
        };
        let (chunk, chunks) = chunks(&geometry, blocks, least);
        constants.extend([("CHUNK_ROWS", chunk), ("CHUNKS", chunks)]);
        let twin = move |args: &mut Args<'_>| twins::weight_gradient(&geometry, args);
        let kernel = Kernel::linear(name, source, &constants, 2, blocks * chunks, twin)
            .with_tiled(geometry.tiled_weight_gradient([chunk, chunks]));
        if chunks == 1 {
            return Lowering::single(kernel, 2);
        }
        let bindings = vec![Slot::Input(0), Slot::Input(1), Slot::Scratch(0)];
        let partial = Call { kernel, bindings };
        Lowering::Parts {
            scratch: vec![chunks * weights],
            calls: vec![partial],
            parts: 0,
            chunks,
        }
    }
}

/// Pixels that are worth a partial sum: its store, its load and its addition cost as much as some fifty
/// multiply-adds. The fewer where that divides the work better.
const LEAST_PIXELS: [usize; 2] = [512, 384];

/// Rows of a chunk of at least so many pixels, and the number of chunks, with so many threads for each.
fn chunks(geometry: &Geometry, threads: usize, pixels: usize) -> (usize, usize) {
    let least = pixels.div_ceil(geometry.output[1]);
    let weights = geometry.taps_by_inputs() * geometry.co();
    split_reduction(geometry.rows(), least, threads, weights)
}

/// Constants of the unrolled kernel, its threads per chunk, and the least pixels of a chunk.
fn rows(geometry: &Geometry) -> (Vec<(&'static str, usize)>, [usize; 2]) {
    /// More make it slower, other than the model says.
    const MOST_SUMS: usize = 96;
    let (width, [kernel_y, kernel_x], stride) = (
        geometry.output[1],
        geometry.kernel,
        geometry.config.stride[1],
    );
    let (inputs, outputs) = (geometry.inputs, geometry.outputs);
    let blocks = |[taps, rows, channels]: [usize; 3]| {
        kernel_y / taps * inputs.div_ceil(rows) * outputs.div_ceil(channels)
    };
    let most = [2, kernel_y, inputs.min(8), width.min(16), outputs.min(16)];
    let price = |[least, taps, rows, pixels, channels]: Tile| {
        let sums = taps * kernel_x * rows * channels;
        let columns = (pixels - 1) * stride + kernel_x;
        let turn = Turn {
            loads: taps * rows * columns + pixels * channels,
            multiply_adds: pixels * sums,
            sums,
        };
        let fits = is_short(turn, geometry.work(), MOST_SUMS) && kernel_y.is_multiple_of(taps);
        fits.then(|| {
            let threads = blocks([taps, rows, channels]);
            let (chunk, chunks) = chunks(geometry, threads, LEAST_PIXELS[least - 1]);
            let turns = chunk * width.div_ceil(pixels);
            cost(threads * chunks, turns, turn) + (threads * chunks * sums) as u64 * PARTIAL
        })
    };
    let (_, [least, taps, rows, pixels, channels]) = cheapest(most, &price);
    let constants = geometry.dense_constants([
        ("TAPS", taps),
        ("ROWS", rows),
        ("PIXELS", pixels),
        ("CHANNELS", channels),
        ("columns", (pixels - 1) * stride + kernel_x),
        ("short_row", usize::from(!width.is_multiple_of(pixels))),
        (
            "short_block",
            usize::from(!outputs.is_multiple_of(channels)),
        ),
        ("short_inputs", usize::from(!inputs.is_multiple_of(rows))),
    ]);
    let threads = blocks([taps, rows, channels]);
    (constants, [threads, LEAST_PIXELS[least - 1]])
}

const ROWS_SHADER: &str = crate::wgsl!("../../../shaders/conv2d_weight_gradient_rows.wgsl");
const SHADER: &str = crate::wgsl!("../../../shaders/conv2d_weight_gradient.wgsl");
const NARROW_SHADER: &str = crate::wgsl!("../../../shaders/conv2d_weight_gradient_narrow.wgsl");

pub(in super::super) const INFO: OpInfo = OpInfo {
    name: "conv2d_weight_gradient",
    doc: "The gradient of a convolution with respect to its filters.",
    shaders: &[
        ("conv2d_weight_gradient_rows", ROWS_SHADER),
        ("conv2d_weight_gradient", SHADER),
        ("conv2d_weight_gradient_narrow", NARROW_SHADER),
        tiled::SHADERS[2],
    ],
    examples: || {
        let inputs = |x: [usize; 4], dy: [usize; 4]| vec![wave(x, 0.1), wave(dy, 0.4)];
        vec![
            Example::new("padded", inputs([2, 3, 4, 2], [2, 3, 4, 5]), |g, x| {
                conv2d_weight_gradient(g, x[0], x[1], config(1, 1, 1, 1), [3, 3])
            }),
            Example::new("strided", inputs([1, 6, 5, 1], [1, 3, 3, 9]), |g, x| {
                conv2d_weight_gradient(g, x[0], x[1], config(2, 1, 1, 1), [3, 3])
            }),
            Example::new("dilated", inputs([1, 6, 7, 2], [1, 4, 3, 4]), |g, x| {
                conv2d_weight_gradient(g, x[0], x[1], config(1, 0, 2, 1), [2, 3])
            }),
            Example::new("grouped", inputs([1, 3, 3, 4], [1, 2, 2, 8]), |g, x| {
                conv2d_weight_gradient(g, x[0], x[1], config(1, 0, 1, 2), [2, 2])
            }),
            Example::new("depthwise", inputs([2, 4, 3, 3], [2, 2, 2, 3]), |g, x| {
                conv2d_weight_gradient(g, x[0], x[1], config(2, 1, 1, 3), [3, 3])
            }),
            Example::new("pointwise", inputs([1, 2, 3, 3], [1, 2, 3, 4]), |g, x| {
                conv2d_weight_gradient(g, x[0], x[1], Conv2d::default(), [1, 1])
            }),
            Example::new("one element", inputs([1, 1, 1, 1], [1, 1, 1, 1]), |g, x| {
                conv2d_weight_gradient(g, x[0], x[1], Conv2d::default(), [1, 1])
            }),
            Example::new(
                "not a number",
                vec![nan([1, 3, 3, 1]), wave([1, 2, 2, 4], 0.4)],
                |g, x| conv2d_weight_gradient(g, x[0], x[1], Conv2d::default(), [2, 2]),
            )
            .forward_only(),
        ]
    },
};
