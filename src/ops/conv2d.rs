//! Two-dimensional convolution (cross-correlation, as every framework means it) with stride,
//! padding, dilation and groups. Its two gradients are in the files beside it; the three are each
//! other's derivatives, so that gradients of any order exist.

mod direct;
mod frame;
mod geometry;
mod input_gradient;
mod tiled;
mod twins;
mod weight_gradient;

pub use geometry::Conv2d;
pub(super) use input_gradient::INFO as INPUT_GRADIENT_INFO;
pub use input_gradient::conv2d_input_gradient;
pub(super) use weight_gradient::INFO as WEIGHT_GRADIENT_INFO;
pub use weight_gradient::conv2d_weight_gradient;

use crate::error::Result;
use crate::graph::{Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::{Args, GROUP, Kernel, Run};
use crate::tensor::Spec;

use super::testing::{nan, wave};
use super::tile::{MOST_SUMS, Tile, Turn, cheapest, cost, is_short};
use geometry::Geometry;

/// `y[n, oy, ox, o] = sum over ky, kx, i of x[n, oy * stride + ky * dilation - top, ..., i] * w[ky, kx, i, o]`.
#[derive(Debug, Clone, Copy)]
struct Conv2dOp(Conv2d);

/// Convolves `x` `[n, h, w, ci]` with the filters `w` `[kh, kw, ci / groups, co]`:
/// `[n, oh, ow, co]`.
///
/// # Errors
/// When the shapes, the settings and the number of groups do not fit together.
pub fn conv2d(graph: &mut Graph, x: ValueId, w: ValueId, config: Conv2d) -> Result<ValueId> {
    graph.push(Conv2dOp(config), &[x, w])
}

impl Op for Conv2dOp {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, w] = expect_inputs("conv2d", inputs)?;
        Ok(Spec::f32(
            Geometry::forward("conv2d", self.0, x, w)?.y_dims(),
        ))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let [x, w] = [b.inputs[0], b.inputs[1]];
        let [_, height, width, _] = b.graph.shape(x).four("conv2d")?;
        let [kernel_y, kernel_x, ..] = b.graph.shape(w).four("conv2d")?;
        let dx = match b.wanted[0] {
            true => Some(conv2d_input_gradient(
                b.graph,
                b.dy,
                w,
                self.0,
                [height, width],
            )?),
            false => None,
        };
        let dw = match b.wanted[1] {
            true => Some(conv2d_weight_gradient(
                b.graph,
                x,
                b.dy,
                self.0,
                [kernel_y, kernel_x],
            )?),
            false => None,
        };
        Ok(vec![dx, dw])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        // `infer` has accepted these inputs.
        let Ok(geometry) = Geometry::forward("conv2d", self.0, &inputs[0], &inputs[1]) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let twin = move |args: &mut Args<'_>| twins::forward(&geometry, args);
        let kernel = if geometry.is_dense() {
            let tile = row_tile(&geometry);
            let (constants, threads) = rows(&geometry, tile);
            Kernel::tailed("conv2d_rows", ROWS_SHADER, &constants, 2, threads, twin)
                .with_run(run(&geometry, tile))
        } else if geometry.outputs < NARROW {
            let (constants, threads) = (geometry.constants(), output.shape.elements());
            Kernel::linear("conv2d_narrow", NARROW_SHADER, &constants, 2, threads, twin)
        } else {
            let pixels = geometry.rows() * geometry.output[1];
            let blocks = geometry.config.groups * geometry.outputs.div_ceil(8);
            let (constants, threads) = (geometry.constants(), pixels.div_ceil(4) * blocks);
            Kernel::linear("conv2d", SHADER, &constants, 2, threads, twin)
        };
        Lowering::single(kernel.with_tiled(geometry.tiled_forward()), 2)
    }
}

/// Rows, pixels of a row and channels of a thread of the unrolled kernel.
fn row_tile(geometry: &Geometry) -> [usize; 3] {
    let ([kernel_y, kernel_x], stride) = (geometry.kernel, geometry.config.stride[1]);
    let (width, outputs) = (geometry.output[1], geometry.outputs);
    let price = |[rows, pixels, channels, ..]: Tile| {
        let sums = rows * pixels * channels;
        let turn = Turn {
            loads: rows * ((pixels - 1) * stride + kernel_x) + kernel_x * channels,
            multiply_adds: kernel_x * sums,
            sums,
        };
        let fits =
            is_short(turn, geometry.work(), MOST_SUMS) && geometry.rows().is_multiple_of(rows);
        let blocks = width.div_ceil(pixels) * outputs.div_ceil(channels);
        let threads = geometry.rows() / rows * blocks;
        fits.then(|| cost(threads, kernel_y * geometry.inputs, turn))
    };
    let most = [4, width.min(32), outputs.min(16), 1, 1];
    let (_, [rows, pixels, channels, ..]) = cheapest(most, &price);
    [rows, pixels, channels]
}

/// What each workgroup of the unrolled kernel writes, where its tiles are whole and lie in one run.
fn run(geometry: &Geometry, [rows, pixels, channels]: [usize; 3]) -> Option<Run> {
    let (width, outputs) = (geometry.output[1], geometry.outputs);
    let is_whole = width.is_multiple_of(pixels) && outputs.is_multiple_of(channels);
    // Threads take all channels, and where they take several rows, also all pixels of a row.
    let across = outputs / channels * if rows == 1 { 1 } else { width / pixels };
    (is_whole && (GROUP as usize).is_multiple_of(across)).then_some(Run {
        binding: 2,
        elements: GROUP as usize * rows * pixels * channels,
    })
}

/// Constants and threads of the unrolled kernel.
fn rows(
    geometry: &Geometry,
    [rows, pixels, channels]: [usize; 3],
) -> (Vec<(&'static str, usize)>, usize) {
    let (width, kernel) = (geometry.output[1], geometry.kernel[1]);
    let constants = geometry.dense_constants([
        ("ROWS", rows),
        ("PIXELS", pixels),
        ("CHANNELS", channels),
        ("short_row", usize::from(!width.is_multiple_of(pixels))),
        (
            "short_block",
            usize::from(!geometry.outputs.is_multiple_of(channels)),
        ),
        ("columns", (pixels - 1) * geometry.config.stride[1] + kernel),
    ]);
    let blocks = width.div_ceil(pixels) * geometry.outputs.div_ceil(channels);
    (constants, geometry.rows() / rows * blocks)
}

/// Below so many channels per group (depthwise convolution) a block of eight is mostly waste, and one thread computes one
/// element.
const NARROW: usize = 4;

const ROWS_SHADER: &str = crate::wgsl!("../../shaders/conv2d_rows.wgsl");
const SHADER: &str = crate::wgsl!("../../shaders/conv2d.wgsl");
const NARROW_SHADER: &str = crate::wgsl!("../../shaders/conv2d_narrow.wgsl");

/// Settings for the examples here and in the gradients' files.
fn config(stride: usize, padding: usize, dilation: usize, groups: usize) -> Conv2d {
    Conv2d {
        stride: [stride; 2],
        padding: [[padding; 2]; 2],
        dilation: [dilation; 2],
        groups,
    }
}

pub(super) const INFO: OpInfo = OpInfo {
    name: "conv2d",
    doc: "Two-dimensional convolution with stride, padding, dilation and groups.",
    shaders: &[
        ("conv2d_rows", ROWS_SHADER),
        ("conv2d", SHADER),
        ("conv2d_narrow", NARROW_SHADER),
        tiled::SHADERS[0],
        tiled::SHADERS[1],
    ],
    examples: || {
        let same = |g: &mut Graph, x: &[ValueId]| conv2d(g, x[0], x[1], config(1, 1, 1, 1));
        let valid = |g: &mut Graph, x: &[ValueId]| conv2d(g, x[0], x[1], Conv2d::default());
        let inputs = |x: [usize; 4], w: [usize; 4]| vec![wave(x, 0.1), wave(w, 0.4)];
        vec![
            Example::new("padded", inputs([2, 3, 5, 2], [3, 3, 2, 5]), same),
            Example::new("strided", inputs([1, 6, 5, 2], [3, 3, 2, 9]), |g, x| {
                conv2d(g, x[0], x[1], config(2, 1, 1, 1))
            }),
            Example::new("dilated", inputs([1, 6, 7, 1], [2, 3, 1, 4]), |g, x| {
                conv2d(g, x[0], x[1], config(1, 1, 2, 1))
            }),
            Example::new("grouped", inputs([1, 3, 3, 4], [2, 2, 2, 10]), |g, x| {
                conv2d(g, x[0], x[1], config(1, 1, 1, 2))
            }),
            Example::new("depthwise", inputs([2, 4, 3, 3], [3, 3, 1, 3]), |g, x| {
                conv2d(g, x[0], x[1], config(2, 1, 1, 3))
            }),
            Example::new("pointwise", inputs([2, 2, 3, 3], [1, 1, 3, 8]), valid),
            Example::new("several tiles", inputs([1, 3, 13, 1], [1, 3, 1, 11]), same),
            Example::new(
                "with a tail",
                vec![
                    wave([1, 3, 4, 2], 0.1),
                    wave([3, 3, 2, 5], 0.4),
                    wave([5], 0.7),
                ],
                |g, x| {
                    let y = conv2d(g, x[0], x[1], config(1, 1, 1, 1))?;
                    let y = super::add(g, y, x[2])?;
                    super::sigmoid(g, y)
                },
            ),
            Example::new("uneven", inputs([1, 2, 3, 1], [2, 4, 1, 4]), |g, x| {
                let padding = [[0, 1], [2, 1]];
                let stride = [1, 2];
                let config = Conv2d {
                    stride,
                    padding,
                    ..Conv2d::default()
                };
                conv2d(g, x[0], x[1], config)
            }),
            Example::new("one element", inputs([1, 1, 1, 1], [1, 1, 1, 1]), valid),
            Example::new(
                "not a number",
                vec![nan([1, 3, 3, 2]), wave([2, 2, 2, 4], 0.4)],
                valid,
            )
            .forward_only(),
        ]
    },
};
