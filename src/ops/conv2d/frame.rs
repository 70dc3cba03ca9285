//! Where the windows of a convolution lie in its input: a few rows of one image at a time, framed by
//! the padding's zeros so that no window looks past an edge. Without padding the rows are the image's
//! own and nothing is copied.
//!
//! A row of a window is contiguous, and products run along it. Where it is short (the first layer, with
//! its one or three channels) the frame is [`folded`](Frame::folded): all rows under a window are
//! stored pixel by pixel, so that the whole window is one run.

mod copy;
mod walk;

use std::ops::Range;

use super::geometry::Geometry;
use walk::{Runs, Windows};

/// Floats below which a row of a window is not worth a loop of its own.
const SHORT_RUN: usize = 16;

/// The framed input of one convolution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    geometry: Geometry,
    is_folded: bool,
    /// Floats from one framed pixel to the next.
    pixel: usize,
    /// Floats from one framed row to the next.
    line: usize,
    /// Output rows in a block.
    rows: usize,
}

/// Some output rows of one image.
#[derive(Debug, Clone)]
pub(super) struct Block {
    image: usize,
    rows: Range<usize>,
    /// The first output pixel, counted over the whole batch.
    pub(super) first: usize,
    /// How many output pixels.
    pub(super) pixels: usize,
}

impl Frame {
    /// Frames at most `floats` at a time, if that is a row of windows.
    pub(super) fn new(geometry: &Geometry, floats: usize) -> Self {
        Self::of_pixels(geometry, floats, geometry.ci(), false)
    }

    /// The same, folded where windows have short rows.
    pub(super) fn folded(geometry: &Geometry, floats: usize) -> Self {
        let Geometry { config, kernel, .. } = *geometry;
        let is_dense = config.groups == 1 && config.dilation[1] == 1;
        let is_short = kernel[0] > 1 && kernel[1] * geometry.inputs < SHORT_RUN;
        if is_dense && is_short {
            return Self::of_pixels(geometry, floats, kernel[0] * geometry.ci(), true);
        }
        Self::new(geometry, floats)
    }

    fn of_pixels(geometry: &Geometry, floats: usize, pixel: usize, is_folded: bool) -> Self {
        let [left, right] = geometry.config.padding[1];
        let mut frame = Self {
            geometry: *geometry,
            is_folded,
            pixel,
            line: (left + geometry.input[1] + right) * pixel,
            rows: 1,
        };
        let lines = (floats / frame.line).saturating_sub(frame.lines(1));
        frame.rows = (1 + lines / frame.row_stride()).min(geometry.output[0]);
        frame
    }

    /// Framed rows from one row of windows to the next.
    fn row_stride(&self) -> usize {
        match self.is_folded {
            true => 1,
            false => self.geometry.config.stride[0],
        }
    }

    /// Framed rows under this many output rows.
    fn lines(&self, rows: usize) -> usize {
        let Geometry { config, kernel, .. } = self.geometry;
        let height = match self.is_folded {
            true => 1,
            false => (kernel[0] - 1) * config.dilation[0] + 1,
        };
        (rows - 1) * self.row_stride() + height
    }

    fn is_bare(&self) -> bool {
        !self.is_folded && self.geometry.config.padding == [[0; 2]; 2]
    }

    /// Floats of scratch memory that a block wants.
    pub(super) fn scratch(&self) -> usize {
        match self.is_bare() {
            true => 0,
            false => self.lines(self.rows) * self.line,
        }
    }

    /// All output rows of the batch, in blocks.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Block> + use<> {
        let (most, [height, width]) = (self.rows, self.geometry.output);
        (0..self.geometry.images).flat_map(move |image| {
            (0..height).step_by(most).map(move |row| {
                let rows = row..(row + most).min(height);
                Block {
                    image,
                    first: (image * height + row) * width,
                    pixels: rows.len() * width,
                    rows,
                }
            })
        })
    }

    /// Output pixels of the largest block.
    pub(super) fn most_pixels(&self) -> usize {
        self.rows * self.geometry.output[1]
    }

    /// Floats of a run, the part of a window that is contiguous.
    pub(super) fn run(&self) -> usize {
        let Geometry {
            config,
            kernel,
            inputs,
            ..
        } = self.geometry;
        match config.dilation[1] == 1 && config.groups == 1 {
            _ if self.is_folded => self.geometry.taps_by_inputs(),
            true => kernel[1] * inputs,
            // Dilation and groups tear the taps of a row apart.
            false => inputs,
        }
    }

    /// The runs of a window.
    pub(super) fn runs(&self, group: usize) -> Runs {
        let Geometry { config, kernel, .. } = self.geometry;
        let run = self.run();
        let first = group * self.geometry.inputs;
        let elements = self.geometry.taps_by_inputs();
        let step = config.dilation[1] * self.pixel;
        let row = (kernel[1] * self.geometry.inputs).max(run);
        Runs::new(
            first,
            [run, row, elements],
            [step, config.dilation[0] * self.line],
        )
    }

    /// Where in a window its element `element` stands.
    pub(super) fn tap(&self, group: usize, element: usize) -> usize {
        let Geometry {
            config,
            kernel,
            inputs,
            ..
        } = self.geometry;
        if self.is_folded {
            return element;
        }
        let (tap, input) = (element / inputs, element % inputs);
        let (ky, kx) = (tap / kernel[1], tap % kernel[1]);
        let in_row = kx * config.dilation[1] * self.pixel + group * inputs + input;
        ky * config.dilation[0] * self.line + in_row
    }

    /// The row of the filters that an element of a window is multiplied with.
    pub(super) fn filter_row(&self, element: usize) -> usize {
        let Geometry { kernel, inputs, .. } = self.geometry;
        if !self.is_folded {
            return element;
        }
        let (tap, input) = (element / inputs, element % inputs);
        let (kx, ky) = (tap / kernel[0], tap % kernel[0]);
        (ky * kernel[1] + kx) * inputs + input
    }

    /// Where the windows of a block's pixels begin in the framed rows.
    pub(super) fn windows(&self, block: &Block) -> Windows {
        let Geometry { config, output, .. } = self.geometry;
        let step = config.stride[1] * self.pixel;
        Windows::new(block.pixels, output[1], step, self.row_stride() * self.line)
    }
}
