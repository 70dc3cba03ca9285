//! Stochastic gradient descent with momentum, in PyTorch's form.

use crate::field::Field;
use crate::ops;

use super::{OptimizerInfo, learning_rate, weight_decay};

pub(super) const INFO: OptimizerInfo = OptimizerInfo {
    id: "sgd",
    name: "SGD with momentum",
    doc: "Steps against the gradient, with a velocity that remembers earlier ones (Polyak 1964).",
    fields: || {
        let momentum = "Share of the velocity that survives each step.";
        vec![
            learning_rate(0.01),
            Field::number("momentum", momentum, 0.0, 1.0, 0.9),
            weight_decay(),
        ]
    },
    slots: 1,
    settings: |values| {
        let number = |name| values.number(name).map(|x| x as f32);
        let (lr, momentum) = (number("learningRate")?, number("momentum")?);
        Ok([
            lr,
            momentum,
            number("weightDecay")?,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ])
    },
    update: |graph, update| {
        let (parameters, gradients) = (update.parameters, update.gradients);
        ops::sgd(
            graph,
            parameters,
            gradients,
            update.slots[0],
            update.settings,
            false,
        )?;
        Ok(())
    },
};
