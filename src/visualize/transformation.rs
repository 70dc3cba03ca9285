//! Small random movements between the optimized image and the network, anew at every step: what survives
//! them is what the unit looks for, and not one exact arrangement of pixels (Olah et al. 2017,
//! "Transformation robustness"). In the last steps nothing moves, so that the image settles in one place
//! rather than between those it was seen in. One file per movement, one line in [`TRANSFORMATIONS`]. They
//! act on normalized images, whose zero is the dataset's mean color.

mod jitter;
mod warp;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::graph::{Graph, ValueId};
use crate::ops;

use super::preset::Preset;

/// What a transformation is told.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// The method's settings.
    pub(super) values: &'a Values,
    /// Step counters `u32[4]`.
    pub(super) counters: ValueId,
    /// Steps of the ascent.
    pub(super) steps: u32,
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

/// One step in so many is still, at the end. The images of LeNet-5's units then excite them 2.45 times as much as
/// the best image of MNIST (median), and 2.12 times where they move to the end; a fourth of the steps makes 3.04
/// of it, but breaks lines into dots (`examples/feature_visualization.rs`).
const STILL: u32 = 32;

impl Scene<'_> {
    /// `images` `[n, h, w, c]` moved at random, in the last steps as they are.
    pub(super) fn moved(&mut self, graph: &mut Graph, images: ValueId) -> Result<ValueId> {
        let each = |moved, entry: &Transformation| (entry.apply)(graph, moved, self);
        let moved = TRANSFORMATIONS.iter().try_fold(images, each)?;
        if moved == images {
            return Ok(images);
        }
        let moving = self.steps - self.steps / STILL;
        let still = ops::every(graph, self.counters, self.steps, moving)?;
        mixed(graph, [moved, images], still)
    }

    /// The largest shift in pixels that was asked for, but at most an eighth of what the unit sees: more
    /// would smear what it wants.
    fn shift(&self) -> Result<u32> {
        let most = u32::try_from(self.seen[0].min(self.seen[1]) / 8).unwrap_or(u32::MAX);
        let wanted = u32::try_from(self.values.integer("jitter")?).unwrap_or(u32::MAX);
        Ok(wanted.min(most))
    }
}

/// `a + share (b - a)` for `share` `[1]`: the first of two where it is 0, the second where it is 1.
pub(super) fn mixed(graph: &mut Graph, [a, b]: [ValueId; 2], share: ValueId) -> Result<ValueId> {
    let minus = ops::affine(graph, a, -1.0, 0.0)?;
    let change = ops::add(graph, b, minus)?;
    let size = graph.shape(a).elements();
    let change = ops::mul_along(graph, change, share, [1, size, 1])?;
    ops::add(graph, a, change)
}
