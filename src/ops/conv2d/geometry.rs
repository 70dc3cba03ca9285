//! The sizes of one convolution, which its forward pass and both gradients share: checked once,
//! handed to the shaders as constants and to the CPU kernels as fields.

use crate::error::{Error, Result};
use crate::graph::expect_dtype;
use crate::tensor::{DType, Spec};

use super::super::window::output_extent;

/// Settings of a two-dimensional convolution; pairs are (vertical, horizontal).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Conv2d {
    /// Pixels between neighboring windows.
    pub stride: [usize; 2],
    /// Zeros around the input: `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
    /// Pixels between neighboring taps.
    pub dilation: [usize; 2],
    /// Independent groups into which input and output channels are cut.
    pub groups: usize,
}

impl Default for Conv2d {
    fn default() -> Self {
        Self {
            stride: [1; 2],
            padding: [[0; 2]; 2],
            dilation: [1; 2],
            groups: 1,
        }
    }
}

/// All sizes of one convolution. `x` is `[images, input, groups * inputs]`, `w` is
/// `[kernel, inputs, groups * outputs]` and `y` is `[images, output, groups * outputs]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    pub(super) config: Conv2d,
    pub(super) images: usize,
    pub(super) input: [usize; 2],
    pub(super) kernel: [usize; 2],
    pub(super) output: [usize; 2],
    /// Input channels of one group.
    pub(super) inputs: usize,
    /// Output channels of one group.
    pub(super) outputs: usize,
}

impl Geometry {
    /// The sizes for an input `x` `[n, h, w, ci]`, `kernel` extents and `co` output channels.
    pub(super) fn new(
        place: &str,
        config: Conv2d,
        x: [usize; 4],
        kernel: [usize; 2],
        co: usize,
    ) -> Result<Self> {
        let [images, height, width, ci] = x;
        let groups = config.groups;
        let divides = |channels: usize| channels > 0 && channels.is_multiple_of(groups.max(1));
        if groups == 0 || images == 0 || !divides(ci) || !divides(co) {
            let found = format!("{images} images, {ci} input and {co} output channels");
            let expected = format!("images and channels in multiples of {groups} groups");
            return Err(Error::mismatch(place, expected, found));
        }
        let extent = |axis: usize, input: usize| {
            let (stride, padding) = (config.stride[axis], config.padding[axis]);
            let dilation = config.dilation[axis];
            output_extent(place, input, kernel[axis], stride, padding, dilation)
        };
        Ok(Self {
            config,
            images,
            input: [height, width],
            kernel,
            output: [extent(0, height)?, extent(1, width)?],
            inputs: ci / groups,
            outputs: co / groups,
        })
    }

    /// The sizes for an input and a filter bank.
    pub(super) fn forward(place: &str, config: Conv2d, x: &Spec, w: &Spec) -> Result<Self> {
        let x_dims = expect_dtype(place, x, DType::F32)?.four(place)?;
        let [kh, kw, inputs, co] = expect_dtype(place, w, DType::F32)?.four(place)?;
        let geometry = Self::new(place, config, x_dims, [kh, kw], co)?;
        if geometry.inputs != inputs {
            let expected = format!("filters of {} input channels for {x}", geometry.inputs);
            return Err(Error::mismatch(place, expected, w.to_string()));
        }
        Ok(geometry)
    }

    /// The same, when `dy` has the output's shape.
    pub(super) fn with_output(self, place: &str, dy: &Spec) -> Result<Self> {
        let expected = Spec::f32(self.y_dims());
        if *dy == expected {
            return Ok(self);
        }
        Err(Error::mismatch(place, expected.to_string(), dy.to_string()))
    }

    pub(super) fn x_dims(&self) -> [usize; 4] {
        let [height, width] = self.input;
        [self.images, height, width, self.ci()]
    }

    pub(super) fn w_dims(&self) -> [usize; 4] {
        [self.kernel[0], self.kernel[1], self.inputs, self.co()]
    }

    pub(super) fn y_dims(&self) -> [usize; 4] {
        let [height, width] = self.output;
        [self.images, height, width, self.co()]
    }

    /// All input channels.
    pub(super) fn ci(&self) -> usize {
        self.inputs * self.config.groups
    }

    /// All output channels.
    pub(super) fn co(&self) -> usize {
        self.outputs * self.config.groups
    }

    /// Weights of one output channel.
    pub(super) fn taps_by_inputs(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.inputs
    }

    /// Rows of output pixels in the whole batch.
    pub(super) fn rows(&self) -> usize {
        self.images * self.output[0]
    }

    /// Multiply-adds of each of the three convolutions.
    pub(super) fn work(&self) -> u64 {
        let pixels = (self.rows() * self.output[1]) as u64;
        pixels * (self.co() * self.taps_by_inputs()) as u64
    }

    /// Whether each channel is convolved with one filter of its own.
    pub(super) fn is_depthwise(&self) -> bool {
        self.inputs == 1 && self.outputs == 1
    }

    /// Whether the unrolled kernels serve it: neighboring taps on neighboring pixels, all channels in one
    /// group, and filters narrow enough to unroll.
    pub(super) fn is_dense(&self) -> bool {
        let Conv2d {
            dilation, groups, ..
        } = self.config;
        dilation == [1, 1] && groups == 1 && self.kernel[1] <= 12
    }

    /// What the unrolled shaders know: all but groups and dilation, and their tile.
    pub(super) fn dense_constants<'a>(
        &self,
        tile: impl IntoIterator<Item = (&'a str, usize)>,
    ) -> Vec<(&'a str, usize)> {
        let mut constants: Vec<(&str, usize)> = self.constants();
        constants.retain(|(name, _)| *name != "GROUPS" && !name.starts_with("DILATION"));
        constants.extend(tile);
        constants
    }

    /// What the shaders know.
    pub(super) fn constants(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("IMAGES", self.images),
            ("HEIGHT", self.input[0]),
            ("WIDTH", self.input[1]),
            ("KERNEL_Y", self.kernel[0]),
            ("KERNEL_X", self.kernel[1]),
            ("OUT_HEIGHT", self.output[0]),
            ("OUT_WIDTH", self.output[1]),
            ("STRIDE_Y", self.config.stride[0]),
            ("STRIDE_X", self.config.stride[1]),
            ("PAD_TOP", self.config.padding[0][0]),
            ("PAD_LEFT", self.config.padding[1][0]),
            ("DILATION_Y", self.config.dilation[0]),
            ("DILATION_X", self.config.dilation[1]),
            ("GROUPS", self.config.groups),
            ("INPUTS", self.inputs),
            ("OUTPUTS", self.outputs),
        ]
    }
}
