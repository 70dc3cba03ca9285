//! One training step as a graph: gather a batch, forward, loss, backward, optimizer, metrics. All of
//! it runs on the device without a word from the host; the step counter lives there too.

use crate::autodiff::gradient;
use crate::backend::Backend;
use crate::error::Result;
use crate::graph::{BackwardRule, Graph};
use crate::nn::{Mode, Network};
use crate::ops;
use crate::tensor::Spec;

use super::loaded::Loaded;
use super::optimizers::{N_SETTINGS, OptimizerInfo, Update};

/// Steps whose metrics the device remembers; more must not run between two reads.
pub(super) const RING: usize = 512;

/// What one training step reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepMetrics {
    /// Steps done before this one.
    pub step: u32,
    /// Mean cross-entropy of the batch, in nats, before the update.
    pub loss: f32,
    /// Share of the batch that was classified correctly, before the update.
    pub accuracy: f32,
}

/// The name of an optimizer's state buffer.
pub(super) fn slot_name(slot: usize) -> String {
    format!("optimizer state {slot}")
}

/// The graph of one step on batches of `batch` training images.
pub(super) fn step_graph<B: Backend>(
    network: &Network,
    data: &Loaded<B>,
    batch: usize,
    optimizer: &OptimizerInfo,
) -> Result<Graph> {
    let mut graph = Graph::new();
    let g = &mut graph;
    let counters = g.external("counters", Spec::u32([4]))?;
    let indices = ops::epoch_indices(g, counters, data.dataset.train.len(), batch)?;
    let inputs = data.layout.gather(g, "train", indices)?;
    let built = network.build(g, inputs.images, Mode::Train)?;
    let losses = ops::cross_entropy(g, built.logits, inputs.labels)?;
    let corrects = ops::correct(g, built.logits, inputs.labels)?;

    // The loss is the mean over the batch.
    let seed = g.constant([batch], &vec![1.0 / batch as f32; batch])?;
    let parameters = &built.parameters;
    let gradients = gradient(g, losses, seed, parameters, BackwardRule::Gradient)?;
    let gradients = ops::pack(g, &gradients)?;

    let words = network.parameter_words();
    let parameters = g.external("parameters", Spec::f32([words]))?;
    let settings = g.external("settings", Spec::f32([N_SETTINGS]))?;
    let slots = (0..optimizer.slots)
        .map(|slot| g.external(&slot_name(slot), Spec::f32([words])))
        .collect::<Result<Vec<_>>>()?;
    let update = Update {
        parameters,
        gradients,
        slots: &slots,
        settings,
        counters,
    };
    (optimizer.update)(g, &update)?;
    let ring = g.external("metrics", Spec::f32([RING, 4]))?;
    ops::record(g, ring, losses, corrects, counters)?;
    Ok(graph)
}
