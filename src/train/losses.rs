//! What training makes small: one file per loss, one line in [`LOSSES`]. A loss is one number per image
//! from the network's class scores and the label; the step takes the mean over the batch. All are
//! compositions of ops, so that their gradients follow by themselves. Evaluations always tell the
//! cross-entropy, whatever was trained, so that runs can be compared.

mod binary;
mod cross_entropy;
mod hinge;
mod squared_error;

use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::graph::{Graph, ValueId};
use crate::ops;

/// A registry entry.
#[derive(Debug, Clone, Copy)]
pub struct LossInfo {
    /// Key in scripts and links.
    pub id: &'static str,
    /// Name in menus.
    pub name: &'static str,
    /// One sentence with its formula or source.
    pub doc: &'static str,
    /// Its settings, as the page shows them.
    pub fields: fn() -> Vec<Field>,
    /// The loss of each image, `[n]`, from its scores `[n, classes]` and label `u32[n]`.
    pub losses: fn(&mut Graph, ValueId, ValueId, &Values) -> Result<ValueId>,
}

/// Every loss; the first is the default.
pub const LOSSES: &[LossInfo] = &[
    cross_entropy::INFO,
    squared_error::INFO,
    hinge::INFO,
    binary::CROSS_ENTROPY,
    binary::FOCAL,
];

/// The loss called `id`.
///
/// # Errors
/// When there is none.
pub fn find_loss(id: &str) -> Result<&'static LossInfo> {
    LOSSES
        .iter()
        .find(|info| info.id == id)
        .ok_or_else(|| Error::unknown("loss", id, LOSSES.iter().map(|info| info.id)))
}

/// Rows and classes of `scores`.
fn extents(graph: &Graph, scores: ValueId) -> Result<[usize; 2]> {
    graph.shape(scores).two("scores")
}

/// `scale` times the sum of each row of `x`, `[n, classes]` to `[n]`.
fn row_sums(graph: &mut Graph, x: ValueId, scale: f32) -> Result<ValueId> {
    let [rows, classes] = extents(graph, x)?;
    ops::sum(graph, x, [rows, classes, 1], [rows], scale)
}

/// The labels of `scores` as rows of zeros with a single one.
fn targets(graph: &mut Graph, scores: ValueId, labels: ValueId) -> Result<ValueId> {
    let [_, classes] = extents(graph, scores)?;
    ops::one_hot(graph, labels, classes)
}
