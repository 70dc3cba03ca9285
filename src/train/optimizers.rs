//! The optimizers: one file each, one line in [`OPTIMIZERS`]. Every optimizer updates all parameters
//! in one dispatch over the flat parameter buffer, and takes its settings from a small buffer, so
//! that changing a learning rate rebuilds nothing.

mod adadelta;
mod adagrad;
mod adam;
mod descent;
mod lars;
mod rmsprop;
mod sgd;

use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::graph::{Graph, ValueId};

/// Number of floats in the settings buffer.
pub const N_SETTINGS: usize = 8;

/// What an optimizer's update is made of; all values are flat and of the parameters' size, except
/// `settings` (`[8]`) and `counters`.
#[derive(Debug)]
pub struct Update<'a> {
    /// The parameters, updated in place.
    pub parameters: ValueId,
    /// Their gradients.
    pub gradients: ValueId,
    /// The optimizer's own state, zero at the start.
    pub slots: &'a [ValueId],
    /// What `settings` of the registry entry gave.
    pub settings: ValueId,
    /// The step counter.
    pub counters: ValueId,
    /// First word and number of words of each tensor within the flat values, in order.
    pub tensors: &'a [(usize, usize)],
}

/// A registry entry.
#[derive(Debug, Clone, Copy)]
pub struct OptimizerInfo {
    /// Key in scripts and links.
    pub id: &'static str,
    /// Name in menus.
    pub name: &'static str,
    /// One sentence with its source.
    pub doc: &'static str,
    /// Its settings, as the page shows them.
    pub fields: fn() -> Vec<Field>,
    /// How many buffers of the parameters' size it keeps.
    pub slots: usize,
    /// Whether a step's size follows from the norms of the tensor it is for: such tensors must be layers'.
    pub by_tensor: bool,
    /// The settings as the device wants them: the learning rate, then what the op says.
    pub settings: fn(&Values) -> Result<[f32; N_SETTINGS]>,
    /// Adds the update to a graph.
    pub update: fn(&mut Graph, &Update<'_>) -> Result<()>,
}

/// Every optimizer; the first is the default.
pub const OPTIMIZERS: &[OptimizerInfo] = &[
    sgd::INFO,
    descent::INFO,
    adagrad::INFO,
    rmsprop::INFO,
    adadelta::INFO,
    adam::INFO,
    adam::DECOUPLED,
    lars::INFO,
];

/// The optimizer called `id`.
///
/// # Errors
/// When there is none.
pub fn find_optimizer(id: &str) -> Result<&'static OptimizerInfo> {
    OPTIMIZERS
        .iter()
        .find(|info| info.id == id)
        .ok_or_else(|| Error::unknown("optimizer", id, OPTIMIZERS.iter().map(|info| info.id)))
}

fn learning_rate(default: f64) -> Field {
    let doc = "How far each step goes against the gradient.";
    Field::number("learningRate", doc, 0.0, 10.0, default)
}

fn epsilon(default: f64) -> Field {
    let doc = "Keeps the divisor from vanishing where gradients do.";
    Field::number("epsilon", doc, 0.0, 1.0, default)
}

fn coupled_decay() -> Field {
    let doc =
        "Pulls every parameter toward zero: this times the parameter is added to its gradient.";
    Field::number("weightDecay", doc, 0.0, 1.0, 0.0)
}
