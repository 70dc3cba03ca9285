//! The settings and sizes that max- and average pooling share.

use crate::error::{Error, Result};
use crate::graph::expect_dtype;
use crate::tensor::{DType, Spec};

use super::window::output_extent;

/// Settings of a two-dimensional pooling; pairs are (vertical, horizontal).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pool2d {
    /// Extents of the window.
    pub size: [usize; 2],
    /// Pixels between neighboring windows.
    pub stride: [usize; 2],
    /// Pixels around the input, fewer than the window's: `[[top, bottom], [left, right]]`.
    pub padding: [[usize; 2]; 2],
}

impl Pool2d {
    /// One window over a whole map of these sides.
    pub const fn whole(sides: [usize; 2]) -> Self {
        Self {
            size: sides,
            stride: sides,
            padding: [[0; 2]; 2],
        }
    }
}

/// All sizes of one pooling of `[images, input, channels]` to `[images, output, channels]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pooling {
    config: Pool2d,
    images: usize,
    input: [usize; 2],
    output: [usize; 2],
    pub(super) channels: usize,
}

impl Pooling {
    pub(super) fn new(place: &str, config: Pool2d, x: [usize; 4]) -> Result<Self> {
        let [images, height, width, channels] = x;
        let extent = |axis: usize, input: usize| {
            let (size, padding) = (config.size[axis], config.padding[axis]);
            // Otherwise a window could lie in the padding altogether.
            if padding[0] >= size || padding[1] >= size {
                let expected = format!("padding smaller than the window {:?}", config.size);
                return Err(Error::mismatch(place, expected, format!("{padding:?}")));
            }
            output_extent(place, input, size, config.stride[axis], padding, 1)
        };
        if images * channels == 0 {
            let found = format!("{x:?}");
            return Err(Error::mismatch(place, "images and channels", found));
        }
        let output = [extent(0, height)?, extent(1, width)?];
        Ok(Self {
            config,
            images,
            input: [height, width],
            output,
            channels,
        })
    }

    /// The sizes for an input.
    pub(super) fn forward(place: &str, config: Pool2d, x: &Spec) -> Result<Self> {
        Self::new(
            place,
            config,
            expect_dtype(place, x, DType::F32)?.four(place)?,
        )
    }

    /// The sizes for a gradient and the input's size.
    pub(super) fn backward(
        place: &str,
        config: Pool2d,
        dy: &Spec,
        [height, width]: [usize; 2],
    ) -> Result<Self> {
        let [images, .., channels] = expect_dtype(place, dy, DType::F32)?.four(place)?;
        let pooling = Self::new(place, config, [images, height, width, channels])?;
        let expected = Spec::f32(pooling.y_dims());
        if *dy != expected {
            return Err(Error::mismatch(place, expected.to_string(), dy.to_string()));
        }
        Ok(pooling)
    }

    pub(super) fn x_dims(&self) -> [usize; 4] {
        [self.images, self.input[0], self.input[1], self.channels]
    }

    pub(super) fn y_dims(&self) -> [usize; 4] {
        [self.images, self.output[0], self.output[1], self.channels]
    }

    /// What the shaders know.
    pub(super) fn constants(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("IMAGES", self.images),
            ("HEIGHT", self.input[0]),
            ("WIDTH", self.input[1]),
            ("CHANNELS", self.channels),
            ("OUT_HEIGHT", self.output[0]),
            ("OUT_WIDTH", self.output[1]),
            ("SIZE_Y", self.config.size[0]),
            ("SIZE_X", self.config.size[1]),
            ("STRIDE_Y", self.config.stride[0]),
            ("STRIDE_X", self.config.stride[1]),
            ("PAD_TOP", self.config.padding[0][0]),
            ("PAD_LEFT", self.config.padding[1][0]),
        ]
    }

    /// Whether every window is two by two pixels of its own, the pooling of nearly all networks.
    pub(super) fn is_halving(&self) -> bool {
        let Pool2d {
            size,
            stride,
            padding,
        } = self.config;
        (size, stride, padding) == ([2, 2], [2, 2], [[0; 2]; 2])
    }

    /// Whether a halving leaves no last row or column out.
    pub(super) fn covers_input(&self) -> bool {
        self.input.iter().all(|extent| extent.is_multiple_of(2))
    }

    /// The output pixels of a halving as (index in `x` of the window's first pixel, index
    /// in `y`), of channel 0.
    pub(super) fn quads(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let ([height, width], [out_height, out_width]) = (self.input, self.output);
        let channels = self.channels;
        (0..self.images * out_height).flat_map(move |row| {
            let line = (row / out_height * height + row % out_height * 2) * width;
            (0..out_width).map(move |column| {
                let pixel = row * out_width + column;
                ((line + 2 * column) * channels, pixel * channels)
            })
        })
    }

    /// The four pixels of a halving's window.
    #[inline(always)]
    pub(super) fn quad<'a>(&self, x: &'a [f32], at: usize) -> [&'a [f32]; 4] {
        let below = at + self.input[1] * self.channels;
        let (a, b) = x[at..at + 2 * self.channels].split_at(self.channels);
        let (c, d) = x[below..below + 2 * self.channels].split_at(self.channels);
        [a, b, c, d]
    }

    /// The same, to be written.
    #[inline(always)]
    pub(super) fn quad_mut<'a>(&self, x: &'a mut [f32], at: usize) -> [&'a mut [f32]; 4] {
        let below = self.input[1] * self.channels;
        let (top, bottom) = x[at..at + below + 2 * self.channels].split_at_mut(below);
        let (a, b) = top[..2 * self.channels].split_at_mut(self.channels);
        let (c, d) = bottom.split_at_mut(self.channels);
        [a, b, c, d]
    }

    /// What a shader knows that handles whole windows, if they tile the input.
    pub(super) fn window_constants(&self) -> Option<Vec<(&'static str, usize)>> {
        /// Taps that are still worth unrolling.
        const MOST_TAPS: usize = 16;
        let [size_y, size_x] = self.config.size;
        let covered = [self.output[0] * size_y, self.output[1] * size_x];
        let tiles = self.config.stride == self.config.size && covered == self.input;
        let unpadded = self.config.padding == [[0; 2]; 2];
        (tiles && unpadded && size_y * size_x <= MOST_TAPS).then(|| {
            vec![
                ("ROWS", self.images * self.output[0]),
                ("WIDTH", self.input[1]),
                ("CHANNELS", self.channels),
                ("SIZE_Y", size_y),
                ("SIZE_X", size_x),
            ]
        })
    }

    /// Calls `visit(tap, x_index, y_index)` for each output pixel and each of its taps that falls on
    /// the image, in the window's row-major order; the indices are those of channel 0.
    #[inline(always)]
    pub(super) fn for_each_tap(&self, mut visit: impl FnMut(u32, usize, usize)) {
        let Self {
            config,
            input: [height, width],
            output: [out_height, out_width],
            channels,
            ..
        } = *self;
        for row in 0..self.images * out_height {
            let (image, oy) = (row / out_height, row % out_height);
            for ox in 0..out_width {
                let y_at = (row * out_width + ox) * channels;
                for ky in 0..config.size[0] {
                    let iy = (oy * config.stride[0] + ky).wrapping_sub(config.padding[0][0]);
                    if iy >= height {
                        continue;
                    }
                    for kx in 0..config.size[1] {
                        let ix = (ox * config.stride[1] + kx).wrapping_sub(config.padding[1][0]);
                        if ix < width {
                            let tap = (ky * config.size[1] + kx) as u32;
                            let x_at = ((image * height + iy) * width + ix) * channels;
                            visit(tap, x_at, y_at);
                        }
                    }
                }
            }
        }
    }
}

/// Settings for the examples of the pooling ops.
pub(super) fn config(size: usize, stride: usize, padding: usize) -> Pool2d {
    Pool2d {
        size: [size; 2],
        stride: [stride; 2],
        padding: [[padding; 2]; 2],
    }
}
