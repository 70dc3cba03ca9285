//! What an optimized image is to raise: one file per objective, one line in [`OBJECTIVES`]. An objective
//! is a number per image; which units it is about says the image's [`Aim`](super::aim::Aim), a weight for
//! each of the layer's channels or for each class.

mod channel;
mod class_probability;
mod class_score;
mod class_score_and_probability;
mod direction;
mod layer;
mod unit;

use crate::error::{Error, Result};
use crate::graph::{Graph, ValueId};
use crate::ops;

/// What an objective sees of a batch of `n` images.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    /// The layer's maps `[n, h, w, c]`.
    pub(super) maps: ValueId,
    /// The unnormalized class scores `[n, classes]`.
    pub(super) logits: ValueId,
    /// Each image's weights: `[n, c]`, or `[n, classes]` for an objective of classes.
    pub(super) aims: ValueId,
}

/// An objective.
pub(super) struct Objective {
    /// Its name in forms and scripts.
    pub(super) id: &'static str,
    /// What its value is called.
    pub(super) value: &'static str,
    /// What it is about.
    pub(super) of: Subject,
    /// Its value for each image, `[n]`.
    pub(super) score: fn(&mut Graph, &Sight) -> Result<ValueId>,
}

/// What an objective is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Channels of the layer.
    Channels,
    /// The layer as it is.
    Layer,
    /// Classes.
    Classes,
}

/// Every objective; the first is the default.
pub(super) const OBJECTIVES: &[Objective] = &[
    unit::INFO,
    channel::INFO,
    layer::INFO,
    class_score::INFO,
    class_probability::INFO,
    class_score_and_probability::INFO,
];

/// The objective of directions from outside, which no form can choose.
pub(super) const DIRECTION: Objective = direction::INFO;

/// The objective called `id`.
///
/// # Errors
/// When there is none.
pub(super) fn find(id: &str) -> Result<&'static Objective> {
    let found = OBJECTIVES.iter().find(|entry| entry.id == id);
    found.ok_or_else(|| Error::unknown("objective", id, OBJECTIVES.iter().map(|entry| entry.id)))
}

/// For each row of `values` `[n, c]` its sum weighted by that row of `weights` `[n, c]`: `[n]`.
fn weighted(graph: &mut Graph, values: ValueId, weights: ValueId) -> Result<ValueId> {
    let [n, c] = graph.shape(values).two("objective")?;
    let weighted = ops::mul(graph, values, weights)?;
    ops::sum(graph, weighted, [n, c, 1], [n], 1.0)
}

/// Each channel's mean over its map: `[n, c]`.
pub(super) fn map_means(graph: &mut Graph, maps: ValueId) -> Result<ValueId> {
    let [n, h, w, c] = graph.shape(maps).four("objective")?;
    ops::sum(graph, maps, [n, h * w, c], [n, c], 1.0 / (h * w) as f32)
}
