//! What goes into a frame and comes out of it: the padded or folded rows under a block, the sums that
//! are added back where they stand in the image, and single elements of all windows.

use std::ops::Range;

use super::super::geometry::Geometry;
use super::{Block, Frame};

impl Frame {
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
    pub(in super::super) fn read<'a>(
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
    pub(in super::super) fn target<'a>(
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
    pub(in super::super) fn add(&self, block: &Block, scratch: &[f32], dx: &mut [f32]) {
        if self.is_bare() {
            return;
        }
        self.for_each_line(block, |at, line, len| {
            let pairs = dx[line..line + len].iter_mut().zip(&scratch[at..at + len]);
            pairs.for_each(|(dx, framed)| *dx += framed);
        });
    }

    /// Copies these elements of the windows of a block's pixels, pixel by pixel.
    #[inline(always)]
    pub(in super::super) fn pack<const M: usize>(
        &self,
        taps: [usize; M],
        x: &[f32],
        to: &mut [[f32; M]],
    ) {
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
}
