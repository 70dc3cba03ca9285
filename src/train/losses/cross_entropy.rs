//! The loss of most classifiers, with smoothed labels as a choice.

use crate::error::Result;
use crate::field::{Field, Values};
use crate::graph::{Graph, ValueId};
use crate::ops;

use super::{LossInfo, extents, row_sums, targets};

pub(super) const INFO: LossInfo = LossInfo {
    id: "cross-entropy",
    name: "Cross-entropy",
    doc: "Minus the logarithm of the softmax probability of the label, which smoothing shares with all classes (Szegedy et al. 2016, section 7).",
    fields: || {
        let smoothing = "Share of the label that is spread evenly over all classes.";
        vec![Field::number("smoothing", smoothing, 0.0, 0.999, 0.0)]
    },
    losses,
};

/// With the share s of K classes: `-sum_k q_k log p_k`, `q = (1 - s) one_hot + s / K`, which is the
/// plain loss and `s (x_label - mean x)`.
fn losses(graph: &mut Graph, scores: ValueId, labels: ValueId, values: &Values) -> Result<ValueId> {
    let plain = ops::cross_entropy(graph, scores, labels)?;
    let share = values.number("smoothing")? as f32;
    if share == 0.0 {
        return Ok(plain);
    }
    let [_, classes] = extents(graph, scores)?;
    let targets = targets(graph, scores, labels)?;
    let centered = ops::affine(graph, targets, share, -share / classes as f32)?;
    let weighted = ops::mul(graph, scores, centered)?;
    let smoothing = row_sums(graph, weighted, 1.0)?;
    ops::add(graph, plain, smoothing)
}
