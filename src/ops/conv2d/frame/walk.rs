//! Steps through a frame without a division: from window to window, and from run to run of a window.

use super::super::super::product::{ROWS, each_row};

/// Where windows begin, pixel by pixel.
#[derive(Debug, Clone)]
pub(in super::super) struct Windows {
    at: usize,
    left: usize,
    column: usize,
    columns: usize,
    step: usize,
    row: usize,
    next_row: usize,
}

impl Windows {
    /// Those of `pixels` pixels in rows of `columns`, `step` floats apart, the rows `next_row`.
    pub(super) fn new(pixels: usize, columns: usize, step: usize, next_row: usize) -> Self {
        Self {
            at: 0,
            left: pixels,
            column: 0,
            columns,
            step,
            row: 0,
            next_row,
        }
    }

    /// Those of the next block's pixels; past the last, that of the last.
    #[inline(always)]
    pub(in super::super) fn next(&mut self) -> [usize; ROWS] {
        if self.column + ROWS < self.columns {
            let at = self.at;
            self.column += ROWS;
            self.left -= ROWS;
            self.at += ROWS * self.step;
            return each_row(|p| at + p * self.step);
        }
        each_row(|_| {
            let at = self.at;
            if self.left > 1 {
                self.left -= 1;
                self.column += 1;
                self.at += self.step;
                if self.column == self.columns {
                    self.column = 0;
                    self.row += self.next_row;
                    self.at = self.row;
                }
            }
            at
        })
    }
}

/// The runs of a window, as (first float in the window, first element in the window's own order).
#[derive(Debug, Clone)]
pub(in super::super) struct Runs {
    at: usize,
    element: usize,
    row: usize,
    row_end: usize,
    /// Elements of a run, of a row of the window, and of the window.
    lengths: [usize; 3],
    /// Floats from run to run within a row, and from row to row.
    steps: [usize; 2],
}

impl Runs {
    /// Those that begin at float `first`.
    pub(super) fn new(first: usize, lengths: [usize; 3], steps: [usize; 2]) -> Self {
        Self {
            at: first,
            element: 0,
            row: first,
            row_end: lengths[1],
            lengths,
            steps,
        }
    }
}

impl Iterator for Runs {
    type Item = (usize, usize);

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, usize)> {
        let [run, row, all] = self.lengths;
        if self.element >= all {
            return None;
        }
        let found = (self.at, self.element);
        self.element += run;
        self.at += self.steps[0];
        if self.element == self.row_end {
            self.row_end += row;
            self.row += self.steps[1];
            self.at = self.row;
        }
        Some(found)
    }
}
