//! The loss of multi-class support vector machines, in the form of Weston & Watkins.

use crate::error::Result;
use crate::field::Values;
use crate::graph::{Graph, ValueId};
use crate::ops;

use super::{LossInfo, extents, row_sums, targets};

pub(super) const INFO: LossInfo = LossInfo {
    id: "hinge",
    name: "Hinge",
    doc: "How far other classes' scores come within 1 of the label's, summed and divided by the number of classes (Weston & Watkins 1999).",
    fields: Vec::new,
    losses,
};

/// `sum over k other than the label of max(0, 1 + x_k - x_label) / K`: PyTorch's `MultiMarginLoss`.
fn losses(graph: &mut Graph, scores: ValueId, labels: ValueId, _: &Values) -> Result<ValueId> {
    let [rows, classes] = extents(graph, scores)?;
    let targets = targets(graph, scores, labels)?;
    let chosen = ops::mul(graph, scores, targets)?;
    let right = row_sums(graph, chosen, 1.0)?;
    let right = ops::broadcast(graph, right, [rows, classes, 1], [rows, classes], -1.0)?;
    let ahead = ops::add(graph, scores, right)?;
    let margins = ops::affine(graph, targets, -1.0, 1.0)?;
    let ahead = ops::add(graph, ahead, margins)?;
    let within = ops::relu(graph, ahead)?;
    row_sums(graph, within, 1.0 / classes as f32)
}
