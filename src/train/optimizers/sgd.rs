//! Stochastic gradient descent with momentum, in PyTorch's form; Nesterov's step as a choice.

use crate::field::Field;
use crate::ops;

use super::{OptimizerInfo, coupled_decay, learning_rate};

pub(super) const INFO: OptimizerInfo = OptimizerInfo {
    id: "sgd",
    name: "SGD with momentum",
    doc: "Steps against the gradient, with a velocity that remembers earlier ones (Polyak 1964).",
    fields: || {
        let momentum = "Share of the velocity that survives each step.";
        let nesterov = "Looks ahead along the velocity before it steps (Nesterov 1983, in the form of \
                        Sutskever et al. 2013).";
        vec![
            learning_rate(0.01),
            Field::number("momentum", momentum, 0.0, 1.0, 0.9),
            Field::bool("nesterov", nesterov, false),
            coupled_decay(),
        ]
    },
    slots: 1,
    by_tensor: false,
    settings: |values| {
        let number = |name| values.number(name).map(|x| x as f32);
        let (rate, momentum) = (number("learningRate")?, number("momentum")?);
        let decay = number("weightDecay")?;
        let nesterov = f32::from(u8::from(values.bool("nesterov")?));
        Ok([rate, momentum, decay, 0.0, 0.0, 0.0, nesterov, 0.0])
    },
    update: |graph, update| {
        let (parameters, gradients) = (update.parameters, update.gradients);
        ops::sgd(
            graph,
            parameters,
            gradients,
            update.slots[0],
            update.settings,
        )?;
        Ok(())
    },
};
