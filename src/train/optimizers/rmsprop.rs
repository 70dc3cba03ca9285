//! `RMSprop`, in PyTorch's form: neither centered nor with momentum.

use crate::error::Result;
use crate::field::Field;
use crate::graph::Graph;
use crate::ops;

use super::{OptimizerInfo, Update, coupled_decay, epsilon, learning_rate};

pub(super) const INFO: OptimizerInfo = OptimizerInfo {
    id: "rmsprop",
    name: "RMSprop",
    doc: "Divides each parameter's step by the root of a running mean of its squared gradients (Hinton 2012, lecture 6e).",
    fields: || {
        let alpha = "Share of the squared gradient's running mean that survives each step.";
        vec![
            learning_rate(0.001),
            Field::number("alpha", alpha, 0.0, 0.999_999, 0.99),
            epsilon(1e-8),
            coupled_decay(),
        ]
    },
    slots: 1,
    by_tensor: false,
    settings: |values| {
        let number = |name| values.number(name).map(|x| x as f32);
        let (rate, decay) = (number("learningRate")?, number("weightDecay")?);
        let (alpha, epsilon) = (number("alpha")?, number("epsilon")?);
        Ok([rate, 0.0, decay, alpha, 1.0 - alpha, epsilon, 0.0, 0.0])
    },
    update,
};

/// Adds the update, which Adagrad shares.
pub(super) fn update(graph: &mut Graph, update: &Update<'_>) -> Result<()> {
    let (parameters, gradients) = (update.parameters, update.gradients);
    let squares = update.slots[0];
    ops::rmsprop(graph, parameters, gradients, squares, update.settings)?;
    Ok(())
}
