//! The loss of regression, on class scores.

use crate::error::Result;
use crate::field::Values;
use crate::graph::{Graph, ValueId};
use crate::ops;

use super::{LossInfo, extents, row_sums, targets};

pub(super) const INFO: LossInfo = LossInfo {
    id: "squared-error",
    name: "Mean squared error",
    doc: "The mean over classes of the squared distance between the scores, without a softmax, and 1 for the label, 0 for the others.",
    fields: Vec::new,
    losses,
};

fn losses(graph: &mut Graph, scores: ValueId, labels: ValueId, _: &Values) -> Result<ValueId> {
    let [_, classes] = extents(graph, scores)?;
    let targets = targets(graph, scores, labels)?;
    let wanted = ops::affine(graph, targets, -1.0, 0.0)?;
    let distance = ops::add(graph, scores, wanted)?;
    let squares = ops::mul(graph, distance, distance)?;
    row_sums(graph, squares, 1.0 / classes as f32)
}
