//! Loss, accuracy and confusion matrix of a split, tallied on the device in batches that the caller
//! spreads over time.

use crate::backend::Backend;
use crate::compile::compile;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::nn::Mode;
use crate::ops;
use crate::tensor::Spec;

use super::session::Session;

/// Images per evaluation batch.
const BATCH: usize = 100;

/// An evaluation under way.
#[derive(Debug)]
pub struct Evaluation<B: Backend> {
    backend: B,
    prepared: B::Prepared,
    totals: B::Buffer,
    confusion: B::Buffer,
    classes: usize,
    batches: u32,
    done: u32,
}

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationReport {
    /// Mean cross-entropy in nats, whatever loss was trained.
    pub loss: f32,
    /// Share classified correctly.
    pub accuracy: f32,
    /// `confusion[label][prediction]`: how many images.
    pub confusion: Vec<Vec<u32>>,
}

impl<B: Backend> Evaluation<B> {
    /// Evaluates with the session's buffer `weights` as the parameters.
    pub(super) async fn new(session: &Session<B>, split: &str, weights: &str) -> Result<Self> {
        let (data, network, backend) = (session.data(), session.network(), session.backend());
        let n = data.split(split)?.len();
        let batch = BATCH.min(n);
        let classes = network.spec.classes;

        let mut graph = Graph::new();
        let g = &mut graph;
        let counters = g.external("evaluation counters", Spec::u32([4]))?;
        let totals = g.external("evaluation totals", Spec::f32([4]))?;
        let matrix = g.external("evaluation confusion", Spec::u32([classes, classes]))?;
        let indices = ops::sequential_indices(g, counters, n, batch)?;
        let inputs = data.layout.gather(g, split, indices)?;
        let built = network.build(g, inputs.images, Mode::Eval)?;
        let losses = ops::cross_entropy(g, built.logits, inputs.labels)?;
        let corrects = ops::correct(g, built.logits, inputs.labels)?;
        ops::tally(g, totals, losses, corrects, indices, n)?;
        ops::confusion(g, matrix, built.logits, inputs.labels, indices, n)?;
        ops::advance(g, counters)?;

        // Fresh buffers are zero: the tallies' start.
        let counters = backend.allocate("evaluation counters", 4)?;
        let totals = backend.allocate("evaluation totals", 4)?;
        let confusion = backend.allocate("evaluation confusion", classes * classes)?;
        let external = |name: &str| match name {
            "evaluation counters" => Some(counters.clone()),
            "evaluation totals" => Some(totals.clone()),
            "evaluation confusion" => Some(confusion.clone()),
            "parameters" => session.buffer(weights),
            _ => session.buffer(name),
        };
        let compiled = compile(&graph, "evaluation", &[])?;
        let prepared = backend.prepare(&compiled.program, &external).await?;
        let batches = u32::try_from(n.div_ceil(batch)).unwrap_or(u32::MAX);
        let backend = backend.clone();
        Ok(Self {
            backend,
            prepared,
            totals,
            confusion,
            classes,
            batches,
            done: 0,
        })
    }

    /// Share of the split that has been submitted, 0 to 1.
    pub fn fraction(&self) -> f32 {
        self.done as f32 / self.batches as f32
    }

    /// Runs up to `batches` more batches and waits for them; true when all are done.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn advance(&mut self, batches: u32) -> Result<bool> {
        let batches = batches.min(self.batches - self.done);
        self.backend
            .run_and_read(&self.prepared, batches, &self.totals, 1)
            .await?;
        self.done += batches;
        Ok(self.done == self.batches)
    }

    /// What was found so far.
    ///
    /// # Errors
    /// When the backend fails, or no batch was run.
    pub async fn report(&self) -> Result<EvaluationReport> {
        let totals = self.backend.read(&self.totals, 0, 4).await?;
        let [loss, correct, count, _] = <[u32; 4]>::try_from(totals)
            .map_err(|words| Error::mismatch("totals", "4 words", words.len().to_string()))?
            .map(f32::from_bits);
        if count == 0.0 {
            return Err(Error::mismatch("evaluation", "at least one batch", "none"));
        }
        let confusion = self
            .backend
            .read(&self.confusion, 0, self.classes * self.classes)
            .await?;
        Ok(EvaluationReport {
            loss: loss / count,
            accuracy: correct / count,
            confusion: confusion
                .chunks(self.classes)
                .map(<[u32]>::to_vec)
                .collect(),
        })
    }
}
