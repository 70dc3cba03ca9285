//! Adam, in PyTorch's form: with weight decay in the gradient, and (`AdamW`) beside it.

use crate::error::Result;
use crate::field::{Field, Values};
use crate::graph::Graph;
use crate::ops;

use super::{N_SETTINGS, OptimizerInfo, Update, coupled_decay, epsilon, learning_rate};

pub(super) const INFO: OptimizerInfo = OptimizerInfo {
    id: "adam",
    name: "Adam",
    doc: "Gives each parameter its own step from running moments of its gradient (Kingma & Ba 2015).",
    fields: || fields(coupled_decay()),
    slots: 2,
    by_tensor: false,
    settings: |values| settings(values, |decay| [decay, 0.0]),
    update,
};

pub(super) const DECOUPLED: OptimizerInfo = OptimizerInfo {
    id: "adamw",
    name: "AdamW",
    doc: "Adam whose weight decay acts on the parameters, not through the moments (Loshchilov & Hutter 2019).",
    fields: || {
        let decay = "Pulls every parameter toward zero: each step takes this times the learning rate \
                     of it away.";
        fields(Field::number("weightDecay", decay, 0.0, 1.0, 0.01))
    },
    slots: 2,
    by_tensor: false,
    settings: |values| settings(values, |decay| [0.0, decay]),
    update,
};

fn fields(decay: Field) -> Vec<Field> {
    let first = "Share of the gradient's running mean that survives each step.";
    let second = "Share of the squared gradient's running mean that survives each step.";
    vec![
        learning_rate(0.001),
        Field::number("beta1", first, 0.0, 0.999_999, 0.9),
        Field::number("beta2", second, 0.0, 0.999_999, 0.999),
        epsilon(1e-8),
        decay,
    ]
}

/// `split` says how much of the weight decay is coupled and how much decoupled.
fn settings(values: &Values, split: fn(f32) -> [f32; 2]) -> Result<[f32; N_SETTINGS]> {
    let number = |name| values.number(name).map(|x| x as f32);
    let [coupled, decoupled] = split(number("weightDecay")?);
    let (beta1, beta2) = (number("beta1")?, number("beta2")?);
    let (rate, epsilon) = (number("learningRate")?, number("epsilon")?);
    Ok([rate, 0.0, coupled, beta1, beta2, epsilon, decoupled, 0.0])
}

fn update(graph: &mut Graph, update: &Update<'_>) -> Result<()> {
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
}
