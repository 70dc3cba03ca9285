//! Adagrad, in PyTorch's form without its decay of the learning rate.

use super::{OptimizerInfo, coupled_decay, epsilon, learning_rate, rmsprop};

pub(super) const INFO: OptimizerInfo = OptimizerInfo {
    id: "adagrad",
    name: "Adagrad",
    doc: "Divides each parameter's step by the root of the sum of all its squared gradients (Duchi et al. 2011).",
    fields: || vec![learning_rate(0.01), epsilon(1e-10), coupled_decay()],
    slots: 1,
    by_tensor: false,
    settings: |values| {
        let number = |name| values.number(name).map(|x| x as f32);
        let (rate, decay) = (number("learningRate")?, number("weightDecay")?);
        Ok([rate, 0.0, decay, 1.0, 1.0, number("epsilon")?, 0.0, 0.0])
    },
    update: rmsprop::update,
};
