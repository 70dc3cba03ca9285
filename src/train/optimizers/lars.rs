//! Layer-wise adaptive rate scaling.

use crate::field::Field;
use crate::ops;

use super::{OptimizerInfo, coupled_decay, learning_rate};

/// Keeps a ratio finite where both norms all but vanish.
const EPSILON: f32 = 1e-9;

pub(super) const INFO: OptimizerInfo = OptimizerInfo {
    id: "lars",
    name: "LARS",
    doc: "Momentum whose rate grows, for each tensor, with its weights' norm over its gradients' (You, Gitman & Ginsburg 2017).",
    fields: || {
        let momentum = "Share of the velocity that survives each step.";
        let trust =
            "How far a tensor moves in one step, relative to its norm, at a learning rate of 1.";
        vec![
            learning_rate(1.0),
            Field::number("momentum", momentum, 0.0, 1.0, 0.9),
            Field::number("trust", trust, 0.0, 1.0, 0.01),
            coupled_decay(),
        ]
    },
    slots: 1,
    by_tensor: true,
    settings: |values| {
        let number = |name| values.number(name).map(|x| x as f32);
        let (rate, momentum) = (number("learningRate")?, number("momentum")?);
        let (decay, trust) = (number("weightDecay")?, number("trust")?);
        Ok([rate, momentum, decay, trust, 0.0, EPSILON, 0.0, 0.0])
    },
    update: |graph, update| {
        let (parameters, gradients) = (update.parameters, update.gradients);
        ops::lars(
            graph,
            parameters,
            gradients,
            update.slots[0],
            update.settings,
            update.tensors,
        )?;
        Ok(())
    },
};
