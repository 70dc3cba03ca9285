//! Plain stochastic gradient descent.

use crate::field::Field;
use crate::ops;

use super::{OptimizerInfo, coupled_decay, learning_rate};

pub(super) const INFO: OptimizerInfo = OptimizerInfo {
    id: "descent",
    name: "Plain SGD",
    doc: "Steps against the gradient of each batch and remembers nothing (Robbins & Monro 1951).",
    fields: || -> Vec<Field> { vec![learning_rate(0.05), coupled_decay()] },
    slots: 0,
    by_tensor: false,
    settings: |values| {
        let number = |name| values.number(name).map(|x| x as f32);
        let (rate, decay) = (number("learningRate")?, number("weightDecay")?);
        Ok([rate, 0.0, decay, 0.0, 0.0, 0.0, 0.0, 0.0])
    },
    update: |graph, update| {
        let (parameters, gradients) = (update.parameters, update.gradients);
        ops::descent(graph, parameters, gradients, update.settings)?;
        Ok(())
    },
};
