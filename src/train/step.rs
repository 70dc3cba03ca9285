//! One training step as a graph: gather a batch, forward, loss, backward, optimizer, metrics. All of
//! it runs on the device without a word from the host; the step counter lives there too.

use crate::autodiff::gradient;
use crate::backend::Backend;
use crate::data::Augmented;
use crate::error::Result;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::{Mode, Network};
use crate::ops;
use crate::tensor::Spec;

use super::loaded::Loaded;
use super::losses::find_loss;
use super::optimizers::{N_SETTINGS, Update, find_optimizer};
use super::plan::{Plan, stages};
use super::schedules::{Pacing, find_schedule};

/// The buffer of the weights' running average.
pub(super) const AVERAGE: &str = "average parameters";

/// Steps whose metrics the device remembers; more must not run between two reads.
pub(super) const RING: usize = 512;

/// What one training step reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepMetrics {
    /// Steps done before this one.
    pub step: u32,
    /// Mean loss of the batch before the update; a cross-entropy is in nats.
    pub loss: f32,
    /// Share of the batch that was classified correctly, before the update.
    pub accuracy: f32,
    /// The learning rate of the update.
    pub rate: f32,
}

/// The name of an optimizer's state buffer.
pub(super) fn slot_name(slot: usize) -> String {
    format!("optimizer state {slot}")
}

/// The graph of one step as `plan` says.
pub(super) fn step_graph<B: Backend>(
    network: &Network,
    data: &Loaded<B>,
    plan: &Plan,
) -> Result<Graph> {
    let batch = plan.batch;
    let mut graph = Graph::new();
    let g = &mut graph;
    let counters = g.external("counters", Spec::u32([4]))?;
    let items = ops::epoch_items(g, counters, data.dataset.train.len(), batch)?;
    let stages = stages(&plan.augmentations)?;
    let inputs = data
        .layout
        .gather_augmented(g, "train", items, counters, &stages)?;
    let built = network.build(g, inputs.images, Mode::Train)?;
    let mut all = losses(g, plan, built.logits, &inputs)?;
    for (scores, weight) in &built.auxiliaries {
        let side = losses(g, plan, *scores, &inputs)?;
        let side = ops::affine(g, side, *weight, 0.0)?;
        all = ops::add(g, all, side)?;
    }
    let losses = all;

    // The loss is the mean over the batch.
    let seed = g.constant([batch], &vec![1.0 / batch as f32; batch])?;
    let parameters = &built.parameters;
    let gradients = gradient(g, losses, seed, parameters, BackwardRule::Gradient)?;
    let gradients = ops::pack(g, &gradients)?;
    let ring = g.external("metrics", Spec::f32([RING, 4]))?;
    update(g, network, plan, gradients, losses)?;
    // Nothing but the record waits for this.
    let corrects = ops::correct(g, built.logits, inputs.labels)?;
    ops::record(g, ring, losses, corrects, counters)?;
    Ok(graph)
}

/// The loss of each image. Where images are mixed, so are the losses of both labels.
fn losses(g: &mut Graph, plan: &Plan, scores: ValueId, inputs: &Augmented) -> Result<ValueId> {
    let loss = find_loss(&plan.loss.id)?;
    let own = (loss.losses)(g, scores, inputs.labels, &plan.loss.values)?;
    let Some(mix) = inputs.mix else {
        return Ok(own);
    };
    let other = (loss.losses)(g, scores, mix.labels, &plan.loss.values)?;
    let rest = ops::affine(g, mix.shares, -1.0, 1.0)?;
    let own = ops::mul(g, own, mix.shares)?;
    let other = ops::mul(g, other, rest)?;
    ops::add(g, own, other)
}

/// Clips, finds the learning rate, steps, and averages.
fn update(
    g: &mut Graph,
    network: &Network,
    plan: &Plan,
    gradients: ValueId,
    losses: ValueId,
) -> Result<()> {
    let optimizer = find_optimizer(&plan.optimizer.id)?;
    let eight = Spec::f32([N_SETTINGS]);
    let words = network.parameter_words();
    let counters = g.external("counters", Spec::u32([4]))?;
    let parameters = g.external("parameters", Spec::f32([words]))?;
    let gradients = if plan.clips() {
        let limits = g.external("clipping", Spec::f32([2]))?;
        ops::clip_gradients(g, gradients, limits)?
    } else {
        gradients
    };
    let mut settings = g.external("settings", eight.clone())?;
    if let Some(follow) = find_schedule(&plan.schedule.id)?.follow {
        let pacing = Pacing {
            current: g.external("settings now", eight.clone())?,
            state: g.external("schedule state", eight.clone())?,
            settings,
            numbers: g.external("schedule", eight)?,
            ring: g.external("metrics", Spec::f32([RING, 4]))?,
            losses,
            counters,
        };
        settings = follow(g, &pacing)?;
    }
    let slots = (0..optimizer.slots)
        .map(|slot| g.external(&slot_name(slot), Spec::f32([words])))
        .collect::<Result<Vec<_>>>()?;
    let tensors: Vec<(usize, usize)> = network
        .parameters
        .iter()
        .map(|one| (one.offset, one.shape.elements()))
        .collect();
    let update = Update {
        parameters,
        gradients,
        slots: &slots,
        settings,
        counters,
        tensors: &tensors,
    };
    (optimizer.update)(g, &update)?;
    if plan.averages() {
        let average = g.external(AVERAGE, Spec::f32([words]))?;
        let decay = g.external("averaging", Spec::f32([2]))?;
        ops::average(g, average, parameters, decay, counters)?;
    }
    Ok(())
}
