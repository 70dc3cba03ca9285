//! Adadelta, in PyTorch's form.

use crate::field::Field;
use crate::ops;

use super::{OptimizerInfo, coupled_decay, epsilon, learning_rate};

pub(super) const INFO: OptimizerInfo = OptimizerInfo {
    id: "adadelta",
    name: "Adadelta",
    doc: "Scales each parameter's step by the size of its recent changes over that of its recent gradients (Zeiler 2012).",
    fields: || {
        let rho = "Share of both running means that survives each step.";
        vec![
            learning_rate(1.0),
            Field::number("rho", rho, 0.0, 0.999_999, 0.9),
            epsilon(1e-6),
            coupled_decay(),
        ]
    },
    slots: 2,
    by_tensor: false,
    settings: |values| {
        let number = |name| values.number(name).map(|x| x as f32);
        let (rate, decay) = (number("learningRate")?, number("weightDecay")?);
        let (rho, epsilon) = (number("rho")?, number("epsilon")?);
        Ok([rate, 0.0, decay, rho, 0.0, epsilon, 0.0, 0.0])
    },
    update: |graph, update| {
        let [squares, changes] = [update.slots[0], update.slots[1]];
        let (parameters, gradients) = (update.parameters, update.gradients);
        ops::adadelta(
            graph,
            parameters,
            gradients,
            squares,
            changes,
            update.settings,
        )?;
        Ok(())
    },
};
