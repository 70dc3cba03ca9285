//! Layer-sequential unit variance (Mishkin & Matas 2016, "All you need is a good init", algorithm 1): before the
//! first step, the weights of one layer after the other are divided by the deviation of the layer's outputs
//! for a batch of training images, until their variance is one. Only layers whose weights ask for it
//! (`Scheme::UnitVariance`) are touched.

use std::future::poll_fn;
use std::task::Poll;

use crate::backend::Backend;
use crate::compile::{Compiled, compile};
use crate::error::Result;
use crate::graph::Graph;
use crate::nn::Mode;
use crate::ops;
use crate::program::View;
use crate::tensor::Spec;

use super::super::{read_view, words_from_floats};
use super::Session;

/// Images that outputs are looked at for.
const BATCH: usize = 32;

/// How far a variance may be from one, and how often a layer is scaled at most: the paper's numbers.
const TOLERANCE: f32 = 0.1;
const MOST_ATTEMPTS: usize = 10;

/// What is to be scaled, and on what it is seen.
#[derive(Debug)]
pub(super) struct Calibration<B: Backend> {
    backend: B,
    parameters: B::Buffer,
    /// First word and words of each layer's weights, in the order of the layers.
    weights: Vec<[usize; 2]>,
    /// The variance of each layer's outputs for the first batch, as the weights are now.
    compiled: Compiled,
}

impl<B: Backend> Calibration<B> {
    /// For a session whose weights are still as they were drawn; none where no layer asks for it.
    pub(super) fn new(session: &Session<B>) -> Result<Option<Self>> {
        let network = &session.network;
        let layers = network.calibrated();
        if layers.is_empty() {
            return Ok(None);
        }
        let mut graph = Graph::new();
        let g = &mut graph;
        let n = session.data.dataset.train.len();
        let counters = g.external("counters", Spec::u32([4]))?;
        // The images are drawn as those of the first step are: files are often sorted by class.
        let indices = ops::epoch_indices(g, counters, n, BATCH.min(n))?;
        let inputs = session.data.layout.gather(g, "train", indices)?;
        let built = network.build(g, inputs.images, Mode::Eval)?;
        let mut variances = Vec::new();
        for (layer, _) in &layers {
            let outputs = built.layers[*layer];
            let elements = g.shape(outputs).elements();
            let column = ops::reshape(g, outputs, [elements, 1])?;
            variances.push(ops::moments(g, column)?.variance);
        }
        let weights = layers.iter().map(|(_, weight)| {
            let weight = &network.parameters[*weight];
            [weight.offset, weight.shape.elements()]
        });
        Ok(Some(Self {
            backend: session.backend.clone(),
            parameters: session.state("parameters")?.clone(),
            weights: weights.collect(),
            compiled: compile(&graph, "unit variance", &variances)?,
        }))
    }

    /// The program that shows the variances.
    pub(super) fn program(&self) -> &crate::program::Program {
        &self.compiled.program
    }

    /// Scales, given that program. Other work gets its turn between two layers.
    pub(super) async fn run(self, prepared: B::Prepared) -> Result<()> {
        for (index, range) in self.weights.iter().enumerate() {
            for _ in 0..MOST_ATTEMPTS {
                let variance = self
                    .variance(&prepared, self.compiled.outputs[index])
                    .await?;
                let is_one = (variance - 1.0).abs() <= TOLERANCE;
                // A layer whose outputs are all the same, or not numbers, stays as it was drawn.
                if is_one || !(variance.is_finite() && variance > 0.0) {
                    break;
                }
                self.scale(*range, 1.0 / variance.sqrt()).await?;
                others_turn().await;
            }
        }
        Ok(())
    }

    async fn variance(&self, prepared: &B::Prepared, view: View) -> Result<f32> {
        self.backend.run(prepared, 1)?;
        let values = read_view(&self.backend, prepared, view).await?;
        Ok(values.first().copied().unwrap_or(f32::NAN))
    }

    async fn scale(&self, [offset, words]: [usize; 2], by: f32) -> Result<()> {
        let weights = self.backend.read(&self.parameters, offset, words).await?;
        let scaled: Vec<f32> = weights
            .into_iter()
            .map(|w| f32::from_bits(w) * by)
            .collect();
        let words = words_from_floats(&scaled);
        self.backend.upload(&self.parameters, offset, words)
    }
}

/// Gives way once.
async fn others_turn() {
    let mut given = false;
    poll_fn(|context| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
