//! Where the windows of a convolution lie in its input: a few rows of one image at a time, framed by
//! the padding's zeros so that no window looks past an edge. Without padding the rows are the image's
//! own and nothing is copied.
//!
//! A row of a window is contiguous, and products run along it. Where it is short (the first layer, with
//! its one or three channels) the frame is [`folded`](Frame::folded): all rows under a window are
//! stored pixel by pixel, so that the whole window is one run.

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

    /// Where in the batch row `y` of the block's image begins, counted from the padding's first; none
    /// in the padding.
    fn source(&self, block: &Block, y: usize) -> Option<usize> {
        let Geometry { config, input, .. } = self.geometry;
        let [height, width] = input;
        let y = y.wrapping_sub(config.padding[0][0]);
        (y < height).then(|| (block.image * height + y) * width * self.geometry.ci())
    }

    /// Calls `visit(at, line, len)` for each framed row of a block that crosses the image: its pixels
    /// begin at float `at` of the frame and at float `line` of the batch.
    fn for_each_line(&self, block: &Block, mut visit: impl FnMut(usize, usize, usize)) {
        let Geometry { config, input, .. } = self.geometry;
        let first = block.rows.start * config.stride[0];
        for line in 0..self.lines(block.rows.len()) {
            if let Some(source) = self.source(block, first + line) {
                let at = line * self.line + config.padding[1][0] * self.pixel;
                visit(at, source, input[1] * self.pixel);
            }
        }
    }

    /// The floats of a block in an unpadded batch.
    fn bare(&self, block: &Block) -> Range<usize> {
        let [height, _] = self.geometry.input;
        let first = block.image * height + block.rows.start * self.row_stride();
        first * self.line..(first + self.lines(block.rows.len())) * self.line
    }

    /// The framed rows under a block, in `scratch` where they have to be copied.
    pub(super) fn read<'a>(
        &self,
        block: &Block,
        x: &'a [f32],
        scratch: &'a mut [f32],
    ) -> &'a [f32] {
        if self.is_bare() {
            return &x[self.bare(block)];
        }
        scratch.fill(0.0);
        if self.is_folded {
            self.fold(block, x, scratch);
        } else {
            self.for_each_line(block, |at, line, len| {
                scratch[at..at + len].copy_from_slice(&x[line..line + len]);
            });
        }
        scratch
    }

    /// Fills the folded rows under a block.
    fn fold(&self, block: &Block, x: &[f32], folded: &mut [f32]) {
        let Geometry {
            config,
            input,
            kernel,
            ..
        } = self.geometry;
        let ci = self.geometry.ci();
        let rows = block.rows.clone().zip(folded.chunks_exact_mut(self.line));
        for (row, folded) in rows {
            for ky in 0..kernel[0] {
                let y = row * config.stride[0] + ky * config.dilation[0];
                let Some(source) = self.source(block, y) else {
                    continue;
                };
                let line = x[source..source + input[1] * ci].chunks_exact(ci);
                let inside = &mut folded[config.padding[1][0] * self.pixel..];
                for channel in 0..ci {
                    let pixels = inside.chunks_exact_mut(self.pixel).zip(line.clone());
                    pixels.for_each(|(pixel, x)| pixel[ky * ci + channel] = x[channel]);
                }
            }
        }
    }

    /// Framed rows under a block to add to: those of `dx` itself, or zeros in `scratch` that
    /// [`Self::add`] then adds to it.
    pub(super) fn target<'a>(
        &self,
        block: &Block,
        dx: &'a mut [f32],
        scratch: &'a mut [f32],
    ) -> &'a mut [f32] {
        if self.is_bare() {
            return &mut dx[self.bare(block)];
        }
        scratch.fill(0.0);
        scratch
    }

    /// Adds what a [`Self::target`] holds to `dx`; what fell on the padding is lost.
    pub(super) fn add(&self, block: &Block, scratch: &[f32], dx: &mut [f32]) {
        if self.is_bare() {
            return;
        }
        self.for_each_line(block, |at, line, len| {
            let pairs = dx[line..line + len].iter_mut().zip(&scratch[at..at + len]);
            pairs.for_each(|(dx, framed)| *dx += framed);
        });
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

    /// Copies these elements of the windows of a block's pixels, pixel by pixel.
    #[inline(always)]
    pub(super) fn pack<const M: usize>(&self, taps: [usize; M], x: &[f32], to: &mut [[f32; M]]) {
        let step = self.geometry.config.stride[1] * self.pixel;
        let is_run = taps.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let rows = to.chunks_exact_mut(self.geometry.output[1]);
        for (row, to) in rows.enumerate() {
            let x = &x[row * self.row_stride() * self.line..];
            if is_run && step >= M {
                let windows = x[taps[0]..].chunks(step);
                to.iter_mut()
                    .zip(windows)
                    .for_each(|(to, x)| to.copy_from_slice(&x[..M]));
            } else if is_run {
                let windows = x[taps[0]..].windows(M).step_by(step);
                to.iter_mut()
                    .zip(windows)
                    .for_each(|(to, x)| to.copy_from_slice(x));
            } else {
                for (lane, tap) in taps.into_iter().enumerate() {
                    let elements = x[tap..].iter().step_by(step);
                    to.iter_mut()
                        .zip(elements)
                        .for_each(|(to, x)| to[lane] = *x);
                }
            }
        }
    }

    /// Where the windows of a block's pixels begin in the framed rows.
    pub(super) fn windows(&self, block: &Block) -> Windows {
        let Geometry { config, output, .. } = self.geometry;
        let step = config.stride[1] * self.pixel;
        Windows::new(block.pixels, output[1], step, self.row_stride() * self.line)
    }
}
