//! Receptive fields: which image pixels an output can see, by composing the layers' windows from the
//! image upward (the recurrences of Araujo, Norris & Sim, "Computing Receptive Fields of
//! Convolutional Neural Networks", Distill 2019).

use serde::{Deserialize, Serialize};

/// The square of image pixels that the first output (row 0, column 0) of a layer can see, and how
/// far it moves from one output to the next; `[rows, columns]`, in image pixels. It may begin
/// before the image, in the padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceptiveField {
    /// Extent.
    pub size: [usize; 2],
    /// Step from one output to the next.
    pub stride: [usize; 2],
    /// First row and column for output (0, 0); negative in the padding.
    pub offset: [i64; 2],
}

impl Default for ReceptiveField {
    /// A pixel sees itself.
    fn default() -> Self {
        Self {
            size: [1, 1],
            stride: [1, 1],
            offset: [0, 0],
        }
    }
}

/// What an output of one layer sees of that layer's input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) size: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) padding: [usize; 2],
}

impl ReceptiveField {
    /// The middle of what output (0, 0) sees, in image pixels from the middle of pixel (0, 0).
    pub fn center(self) -> [f64; 2] {
        [0, 1].map(|axis| self.offset[axis] as f64 + (self.size[axis] as f64 - 1.0) / 2.0)
    }

    /// The field of a layer whose outputs see `window` of inputs that have this field.
    pub(super) fn through(self, window: &Window) -> Self {
        let mut field = self;
        for axis in 0..2 {
            let step = self.stride[axis];
            let reach = window.size[axis].saturating_sub(1).saturating_mul(step);
            field.size[axis] = self.size[axis].saturating_add(reach);
            field.stride[axis] = step.saturating_mul(window.stride[axis]);
            let before = (window.padding[axis].saturating_mul(step)) as i64;
            field.offset[axis] = self.offset[axis].saturating_sub(before);
        }
        field
    }

    /// The field of an output that sees what `self` and `other` see: the smallest square around both.
    pub(super) fn union(self, other: Self) -> Self {
        let mut field = self;
        for axis in 0..2 {
            let end = |f: &Self| f.offset[axis].saturating_add(f.size[axis] as i64);
            let last = end(&self).max(end(&other));
            field.offset[axis] = self.offset[axis].min(other.offset[axis]);
            // `last` is behind both offsets, so the difference is positive.
            field.size[axis] = last.saturating_sub(field.offset[axis]) as usize;
            field.stride[axis] = self.stride[axis].max(other.stride[axis]);
        }
        field
    }
}
