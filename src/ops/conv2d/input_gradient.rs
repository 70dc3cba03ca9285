//! The gradient of a convolution with respect to its input: a transposed convolution (Zeiler et al.
//! 2010, "Deconvolutional networks"; Dumoulin & Visin 2016).

use crate::error::Result;
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::super::testing::{nan, wave};
use super::super::tile::{MOST_CHANNELS, MOST_UNROLLED, most_pixels, tile};
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
        let kernel = if let Some((constants, threads)) = spread(&geometry) {
            let name = "conv2d_input_gradient_spread";
            Kernel::tailed(name, SPREAD_SHADER, &constants, 2, threads, twin)
        } else if geometry.is_dense() {
            let (constants, threads) = rows(&geometry);
            let name = "conv2d_input_gradient_rows";
            Kernel::tailed(name, ROWS_SHADER, &constants, 2, threads, twin)
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

/// Constants and threads of the unrolled kernel. Of `stride` neighboring pixels each belongs to another
/// phase: another set of taps reaches it.
fn rows(geometry: &Geometry) -> (Vec<(&'static str, usize)>, usize) {
    let (kernel, stride) = (geometry.kernel[1], geometry.config.stride[1]);
    let phase_taps = kernel.div_ceil(stride);
    let phase_width = geometry.input[1].div_ceil(stride);
    let channels = tile(geometry.inputs, MOST_CHANNELS);
    let pixels = tile(
        phase_width,
        most_pixels(channels * phase_taps, MOST_UNROLLED),
    );
    let constants = geometry.dense_constants([
        ("PIXELS", pixels),
        ("CHANNELS", channels),
        ("PHASE_TAPS", phase_taps),
        ("columns", pixels + phase_taps - 1),
        ("uneven", usize::from(!kernel.is_multiple_of(stride))),
    ]);
    let blocks = stride * phase_width.div_ceil(pixels) * geometry.inputs.div_ceil(channels);
    (constants, geometry.images * geometry.input[0] * blocks)
}

/// Constants and threads of the kernel for whole rows, where the output is so much narrower that the others try many
/// taps in vain.
fn spread(geometry: &Geometry) -> Option<(Vec<(&'static str, usize)>, usize)> {
    /// Sums of a thread.
    const MOST_SUMS: usize = 96;
    let ([width, out_width], config) = ([geometry.input[1], geometry.output[1]], geometry.config);
    let is_plain = config.stride == [1; 2] && config.padding == [[0; 2]; 2];
    let most = (MOST_SUMS / width).min(MOST_UNROLLED / (out_width * geometry.kernel[1]));
    if !geometry.is_dense() || !is_plain || 5 * out_width > 4 * width || most == 0 {
        return None;
    }
    let channels = tile(geometry.inputs, most.min(MOST_CHANNELS));
    let mut constants = geometry.dense_constants([("CHANNELS", channels)]);
    constants.retain(|(name, _)| !name.starts_with("STRIDE") && !name.starts_with("PAD"));
    let rows = geometry.images * geometry.input[0];
    Some((constants, rows * geometry.inputs.div_ceil(channels)))
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
