//! Adam, in PyTorch's form.

use crate::field::Field;
use crate::ops;

use super::{OptimizerInfo, learning_rate, weight_decay};

pub(super) const INFO: OptimizerInfo = OptimizerInfo {
    id: "adam",
    name: "Adam",
    doc: "Gives each parameter its own step from running moments of its gradient (Kingma & Ba 2015).",
    fields: || {
        let first = "Share of the gradient's running mean that survives each step.";
        let second = "Share of the squared gradient's running mean that survives each step.";
        vec![
            learning_rate(0.001),
            Field::number("beta1", first, 0.0, 0.999_999, 0.9),
            Field::number("beta2", second, 0.0, 0.999_999, 0.999),
            weight_decay(),
        ]
    },
    slots: 2,
    settings: |values| {
        let number = |name| values.number(name).map(|x| x as f32);
        let (lr, decay) = (number("learningRate")?, number("weightDecay")?);
        Ok([
            lr,
            0.0,
            decay,
            number("beta1")?,
            number("beta2")?,
            1e-8,
            0.0,
            0.0,
        ])
    },
    update: |graph, update| {
        let [first, second] = [update.slots[0], update.slots[1]];
        let (parameters, gradients) = (update.parameters, update.gradients);
        ops::adam(
            graph,
            parameters,
            gradients,
            first,
            second,
            update.settings,
            update.counters,
        )?;
        Ok(())
    },
};
