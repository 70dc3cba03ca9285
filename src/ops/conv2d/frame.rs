//! Where the windows of a convolution lie in its input: a few rows of one image at a time, framed by
//! the padding's zeros so that no window looks past an edge. Without padding the rows are the image's
//! own and nothing is copied.

use std::ops::Range;

use super::geometry::Geometry;

/// Floats of framed rows at a time, so that they stay in the first-level cache or near it.
const BLOCK_FLOATS: usize = 1 << 13;

/// The framed input of one convolution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    geometry: Geometry,
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
    pub(super) fn new(geometry: &Geometry) -> Self {
        let [left, right] = geometry.config.padding[1];
        let line = (left + geometry.input[1] + right) * geometry.ci();
        let mut frame = Self {
            geometry: *geometry,
            line,
            rows: 1,
        };
        let lines = BLOCK_FLOATS / line.max(1);
        let beyond_first = lines.saturating_sub(frame.lines(1)) / geometry.config.stride[0];
        frame.rows = (1 + beyond_first).min(geometry.output[0]);
        frame
    }

    /// Framed rows under this many output rows.
    fn lines(&self, rows: usize) -> usize {
        let Geometry { config, kernel, .. } = self.geometry;
        (rows - 1) * config.stride[0] + (kernel[0] - 1) * config.dilation[0] + 1
    }

    fn is_bare(&self) -> bool {
        self.geometry.config.padding == [[0; 2]; 2]
    }

    /// Floats of scratch memory that a block wants.
    pub(super) fn scratch(&self) -> usize {
        match self.is_bare() {
            true => 0,
            false => self.lines(self.rows) * self.line,
        }
    }

    /// These output rows, counted over the whole batch, in blocks.
    pub(super) fn blocks(&self, rows: Range<usize>) -> impl Iterator<Item = Block> + use<> {
        let (most, [height, width]) = (self.rows, self.geometry.output);
        let mut next = rows.start;
        std::iter::from_fn(move || {
            if next >= rows.end {
                return None;
            }
            let (image, row) = (next / height, next % height);
            let end = (row + most).min(height).min(row + rows.end - next);
            let block = Block {
                image,
                rows: row..end,
                first: next * width,
                pixels: (end - row) * width,
            };
            next += end - row;
            Some(block)
        })
    }

    /// Calls `visit(at, line, len)` for each framed row of a block that crosses the image: its pixels
    /// begin at float `at` of the frame and at float `line` of the batch.
    fn for_each_line(&self, block: &Block, mut visit: impl FnMut(usize, usize, usize)) {
        let Geometry { config, input, .. } = self.geometry;
        let (ci, [height, width]) = (self.geometry.ci(), input);
        let first = block.rows.start * config.stride[0];
        for line in 0..self.lines(block.rows.len()) {
            let y = (first + line).wrapping_sub(config.padding[0][0]);
            if y < height {
                let at = line * self.line + config.padding[1][0] * ci;
                visit(at, (block.image * height + y) * width * ci, width * ci);
            }
        }
    }

    /// The floats of a block in an unpadded batch.
    fn bare(&self, block: &Block) -> Range<usize> {
        let [height, _] = self.geometry.input;
        let first = block.image * height + block.rows.start * self.geometry.config.stride[0];
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
        self.for_each_line(block, |at, line, len| {
            scratch[at..at + len].copy_from_slice(&x[line..line + len]);
        });
        scratch
    }

    /// Lets `work` add to the framed rows under a block of `dx`; what falls on the padding is lost.
    #[inline(always)]
    pub(super) fn add(
        &self,
        block: &Block,
        dx: &mut [f32],
        scratch: &mut [f32],
        work: impl FnOnce(&mut [f32]),
    ) {
        if self.is_bare() {
            return work(&mut dx[self.bare(block)]);
        }
        scratch.fill(0.0);
        work(scratch);
        self.for_each_line(block, |at, line, len| {
            let pairs = dx[line..line + len].iter_mut().zip(&scratch[at..at + len]);
            pairs.for_each(|(dx, framed)| *dx += framed);
        });
    }

    /// Where the windows of a block's pixels begin in the framed rows.
    pub(super) fn windows(&self, block: &Block) -> Windows {
        let Geometry { config, output, .. } = self.geometry;
        Windows {
            at: 0,
            left: block.pixels,
            column: 0,
            columns: output[1],
            step: config.stride[1] * self.geometry.ci(),
            next_line: self.line * config.stride[0],
            line: 0,
        }
    }

    /// Where in a window the element stands that filter row `row` is multiplied with.
    pub(super) fn tap(&self, group: usize, row: usize) -> usize {
        let Geometry {
            config,
            kernel,
            inputs,
            ..
        } = self.geometry;
        let (tap, input) = (row / inputs, row % inputs);
        let (ky, kx) = (tap / kernel[1], tap % kernel[1]);
        let pixel = kx * config.dilation[1] * self.geometry.ci();
        ky * config.dilation[0] * self.line + pixel + group * inputs + input
    }

    /// Copies these elements of the windows of a block's pixels, pixel by pixel.
    #[inline(always)]
    pub(super) fn pack<const M: usize>(&self, taps: [usize; M], x: &[f32], to: &mut [[f32; M]]) {
        let stride = self.geometry.config.stride;
        let step = stride[1] * self.geometry.ci();
        let is_run = taps.windows(2).all(|pair| pair[1] == pair[0] + 1);
        for (row, to) in to.chunks_exact_mut(self.geometry.output[1]).enumerate() {
            let x = &x[row * stride[0] * self.line..];
            for (column, to) in to.iter_mut().enumerate() {
                let at = column * step;
                match is_run {
                    true => to.copy_from_slice(&x[at + taps[0]..][..M]),
                    false => *to = taps.map(|tap| x[at + tap]),
                }
            }
        }
    }

    /// Output pixels of the largest block.
    pub(super) fn most_pixels(&self) -> usize {
        self.rows * self.geometry.output[1]
    }

    /// The runs of a window that are contiguous, as (first float of the window, first row of the
    /// filters).
    pub(super) fn runs(&self, group: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Geometry {
            config,
            kernel,
            inputs,
            ..
        } = self.geometry;
        let (ci, line, len) = (self.geometry.ci(), self.line, self.run());
        let per_row = kernel[1] * inputs / len;
        (0..kernel[0] * per_row).map(move |run| {
            let (ky, kx) = (run / per_row, run % per_row);
            let at = ky * config.dilation[0] * line + kx * config.dilation[1] * ci;
            (at + group * inputs, run * len)
        })
    }

    /// Floats of a run: a row of the window, unless dilation or groups tear its taps apart.
    pub(super) fn run(&self) -> usize {
        let Geometry {
            config,
            kernel,
            inputs,
            ..
        } = self.geometry;
        match config.dilation[1] == 1 && config.groups == 1 {
            true => kernel[1] * inputs,
            false => inputs,
        }
    }
}

/// Where windows begin, pixel by pixel.
#[derive(Debug, Clone)]
pub(super) struct Windows {
    at: usize,
    left: usize,
    column: usize,
    columns: usize,
    step: usize,
    next_line: usize,
    line: usize,
}

impl Windows {
    /// Those of the next `N` pixels; past the last, that of the last.
    #[inline(always)]
    pub(super) fn next<const N: usize>(&mut self) -> [usize; N] {
        if self.column + N < self.columns {
            let at = self.at;
            self.column += N;
            self.left -= N;
            self.at += N * self.step;
            return std::array::from_fn(|p| at + p * self.step);
        }
        std::array::from_fn(|_| {
            let at = self.at;
            if self.left > 1 {
                self.left -= 1;
                self.column += 1;
                self.at += self.step;
                if self.column == self.columns {
                    self.column = 0;
                    self.line += self.next_line;
                    self.at = self.line;
                }
            }
            at
        })
    }
}
