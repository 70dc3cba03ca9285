//! Small random movements between the optimized image and the network, anew at every step: what survives
//! them is what the unit looks for, and not one exact arrangement of pixels (Olah et al. 2017,
//! "Transformation robustness"). One file per movement, one line in [`TRANSFORMATIONS`]. They act on
//! normalized images, whose zero is the dataset's mean color.

mod jitter;
mod warp;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::graph::{Graph, ValueId};

use super::preset::Preset;

/// What a transformation is told.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// The method's settings.
    pub(super) values: &'a Values,
    /// Step counters `u32[4]`.
    pub(super) counters: ValueId,
    /// Rows and columns that the unit sees.
    pub(super) seen: [usize; 2],
    /// Outside buffers that the transformations need.
    pub(super) buffers: Vec<(&'static str, Vec<u32>)>,
}

/// A random movement.
pub(super) struct Transformation {
    /// Its settings.
    pub(super) fields: fn(&Preset) -> Vec<Field>,
    /// Moves images `[n, h, w, c]`.
    pub(super) apply: fn(&mut Graph, ValueId, &mut Scene<'_>) -> Result<ValueId>,
}

/// Every transformation, in the order in which they are applied.
pub(super) const TRANSFORMATIONS: &[Transformation] = &[jitter::INFO, warp::INFO];

impl Scene<'_> {
    /// The largest shift in pixels that was asked for, but at most an eighth of what the unit sees: more
    /// would smear what it wants.
    fn shift(&self) -> Result<u32> {
        let most = u32::try_from(self.seen[0].min(self.seen[1]) / 8).unwrap_or(u32::MAX);
        let wanted = u32::try_from(self.values.integer("jitter")?).unwrap_or(u32::MAX);
        Ok(wanted.min(most))
    }
}
