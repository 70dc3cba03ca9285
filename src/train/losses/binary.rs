//! One against all: each class is a yes-or-no question of its own, answered through a sigmoid.

use crate::error::Result;
use crate::field::Field;
use crate::graph::{Graph, ValueId};
use crate::ops;

use super::{LossInfo, extents, row_sums, targets};

pub(super) const CROSS_ENTROPY: LossInfo = LossInfo {
    id: "binary-cross-entropy",
    name: "Binary cross-entropy",
    doc: "The mean over classes of minus the logarithm of the sigmoid probability of yes for the label and no for every other class.",
    fields: Vec::new,
    losses: |graph, scores, labels, _| {
        let margins = margins(graph, scores, labels)?;
        let losses = ops::focal(graph, margins, 0.0)?;
        let [_, classes] = extents(graph, scores)?;
        row_sums(graph, losses, 1.0 / classes as f32)
    },
};

pub(super) const FOCAL: LossInfo = LossInfo {
    id: "focal",
    name: "Focal",
    doc: "The sum over classes of the binary cross-entropy, each weakened by how right it already is (Lin et al. 2017, equation 5).",
    fields: || {
        let gamma = "How strongly what is right already is weakened; 0 does not.";
        let alpha = "Weight of the label's class; the others have 1 less this.";
        vec![
            Field::number("gamma", gamma, 0.0, 10.0, 2.0),
            Field::number("alpha", alpha, 0.0, 1.0, 0.25),
        ]
    },
    losses: |graph, scores, labels, values| {
        let alpha = values.number("alpha")? as f32;
        let margins = margins(graph, scores, labels)?;
        let losses = ops::focal(graph, margins, values.number("gamma")? as f32)?;
        let targets = targets(graph, scores, labels)?;
        let weights = ops::affine(graph, targets, 2.0 * alpha - 1.0, 1.0 - alpha)?;
        let weighted = ops::mul(graph, losses, weights)?;
        row_sums(graph, weighted, 1.0)
    },
};

/// The scores, turned so that larger is more right: `x` of the label, `-x` of every other class.
fn margins(graph: &mut Graph, scores: ValueId, labels: ValueId) -> Result<ValueId> {
    let targets = targets(graph, scores, labels)?;
    let signs = ops::affine(graph, targets, 2.0, -1.0)?;
    ops::mul(graph, scores, signs)
}
