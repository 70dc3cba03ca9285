//! A network being trained: its state on the backend, and the prepared step that advances it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use crate::backend::Backend;
use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Values;
use crate::nn::Network;
use crate::program::Program;
use crate::tensor::Tensor;

use super::evaluation::Evaluation;
use super::loaded::Loaded;
use super::optimizers::{N_SETTINGS, find_optimizer};
use super::probe::Probe;
use super::step::{RING, StepMetrics, slot_name, step_graph};
use super::words_from_floats;

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Key of the optimizer.
    pub optimizer: String,
    /// Its checked settings.
    pub settings: Values,
    /// Images per step.
    pub batch: usize,
}

/// A step under preparation.
pub type Preparing<B> = Pin<Box<dyn Future<Output = Result<<B as Backend>::Prepared>>>>;

type Reading = Pin<Box<dyn Future<Output = Result<Vec<u32>>>>>;

/// A network, its state on the backend, and the training step.
pub struct Session<B: Backend> {
    backend: B,
    data: Rc<Loaded<B>>,
    network: Rc<Network>,
    buffers: BTreeMap<String, B::Buffer>,
    prepared: Option<(Plan, B::Prepared)>,
    step: u32,
    /// The read-back of the steps submitted last, and the first of them.
    reading: Option<(u32, u32, Reading)>,
}

impl<B: Backend> fmt::Debug for Session<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl<B: Backend> Session<B> {
    /// A fresh network with weights drawn from `seed`.
    ///
    /// # Errors
    /// When the network does not fit the data, or its state does not fit the backend.
    pub fn new(backend: &B, data: Rc<Loaded<B>>, network: Network, seed: u64) -> Result<Self> {
        let spec = &network.spec;
        if spec.input != data.dataset.shape || spec.classes < data.dataset.classes.len() {
            let shape = data.dataset.shape;
            let expected = format!("input {shape:?}, {} classes", data.dataset.classes.len());
            let found = format!("input {:?}, {} classes", spec.input, spec.classes);
            return Err(Error::mismatch(
                format!("network {}", spec.name),
                expected,
                found,
            ));
        }
        network.check_fits(1, backend.max_buffer_bytes())?;
        let mut buffers = BTreeMap::new();
        for (name, words) in [
            ("parameters", network.parameter_words()),
            ("statistics", network.statistic_words()),
            ("counters", 4),
            ("settings", N_SETTINGS),
            ("metrics", RING * 4),
        ] {
            buffers.insert(name.to_owned(), backend.allocate(name, words)?);
        }
        let mut session = Self {
            backend: backend.clone(),
            data,
            network: Rc::new(network),
            buffers,
            prepared: None,
            step: 0,
            reading: None,
        };
        session.reset(seed)?;
        Ok(session)
    }

    /// The network.
    pub fn network(&self) -> &Rc<Network> {
        &self.network
    }

    /// The data it is trained on.
    pub fn data(&self) -> &Rc<Loaded<B>> {
        &self.data
    }

    /// What it runs on.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Steps done since the weights were drawn.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// Steps in one pass over the training split at `batch` images each.
    pub fn steps_per_epoch(&self, batch: usize) -> u32 {
        let steps = self.data.dataset.train.len() / batch.max(1);
        u32::try_from(steps.max(1)).unwrap_or(u32::MAX)
    }

    /// The outside buffer called `name`: state or dataset.
    pub fn buffer(&self, name: &str) -> Option<B::Buffer> {
        self.buffers
            .get(name)
            .cloned()
            .or_else(|| self.data.buffer(name))
    }

    fn state(&self, name: &str) -> Result<&B::Buffer> {
        self.buffers
            .get(name)
            .ok_or_else(|| Error::mismatch("session", name, "no such state"))
    }

    /// Draws new weights from `seed` and forgets all progress.
    ///
    /// # Errors
    /// When the backend cannot take them.
    pub fn reset(&mut self, seed: u64) -> Result<()> {
        let (parameters, statistics) = self.network.initial(seed);
        self.upload("parameters", words_from_floats(&parameters))?;
        self.upload("statistics", words_from_floats(&statistics))?;
        // Truncation keeps distinct small seeds distinct.
        self.upload("counters", &[0, seed as u32, 0, 0])?;
        self.clear_slots()?;
        self.step = 0;
        self.reading = None;
        Ok(())
    }

    fn upload(&self, name: &str, words: &[u32]) -> Result<()> {
        self.backend.upload(self.state(name)?, 0, words)
    }

    fn clear_slots(&self) -> Result<()> {
        let zeros = vec![0; self.network.parameter_words()];
        (0..)
            .map(slot_name)
            .map_while(|name| self.buffers.get(&name))
            .try_for_each(|buffer| self.backend.upload(buffer, 0, &zeros))
    }

    /// Prepares training as `plan` says. The optimizer's state is kept unless the optimizer
    /// changes; the prepared step is kept unless optimizer or batch size change.
    ///
    /// # Errors
    /// When the optimizer is unknown, the batch is empty or larger than the training split, or the
    /// step does not fit the backend.
    pub async fn prepare(&mut self, plan: &Plan) -> Result<()> {
        if let Some(preparing) = self.begin_prepare(plan)? {
            self.end_prepare(plan, preparing.await?);
        }
        Ok(())
    }

    /// [`Session::prepare`] for a host that has other things to do: what is left to wait for, and to hand to
    /// [`Session::end_prepare`]; nothing if the prepared step is kept.
    ///
    /// # Errors
    /// As [`Session::prepare`], as far as is known at once.
    pub fn begin_prepare(&mut self, plan: &Plan) -> Result<Option<Preparing<B>>> {
        let n = self.data.dataset.train.len();
        if plan.batch == 0 || plan.batch > n {
            let expected = format!("1 to {n} images (the training split)");
            return Err(Error::mismatch(
                "batch size",
                expected,
                plan.batch.to_string(),
            ));
        }
        let limit = self.backend.max_buffer_bytes();
        self.network.check_fits(plan.batch, limit)?;
        let optimizer = find_optimizer(&plan.optimizer)?;
        let settings = (optimizer.settings)(&plan.settings)?;
        self.upload("settings", words_from_floats(&settings))?;
        let before = self
            .prepared
            .as_ref()
            .map(|(plan, _)| (plan.optimizer.clone(), plan.batch));
        if before == Some((plan.optimizer.clone(), plan.batch)) {
            return Ok(None);
        }
        if before.is_none_or(|(optimizer, _)| optimizer != plan.optimizer) {
            for name in (0..optimizer.slots).map(slot_name) {
                let buffer = self
                    .backend
                    .allocate(&name, self.network.parameter_words())?;
                self.buffers.insert(name, buffer);
            }
            self.clear_slots()?;
        }
        let program = self.step_program(plan)?;
        let preparing = self.backend.prepare(&program, &|name| self.buffer(name));
        Ok(Some(Box::pin(preparing)))
    }

    /// Takes the step that [`Session::begin_prepare`] for the same plan began to prepare.
    pub fn end_prepare(&mut self, plan: &Plan, prepared: B::Prepared) {
        self.prepared = Some((plan.clone(), prepared));
    }

    /// One training step as a program, to count and time what it dispatches.
    ///
    /// # Errors
    /// When the optimizer is unknown.
    pub fn step_program(&self, plan: &Plan) -> Result<Program> {
        let optimizer = find_optimizer(&plan.optimizer)?;
        let graph = step_graph(&self.network, &self.data, plan.batch, optimizer)?;
        Ok(compile(&graph, "training step", &[])?.program)
    }

    /// Submits `steps` more steps (at most half the metrics ring) and returns the metrics of the
    /// steps submitted by the call before, so that the device never waits for the host.
    ///
    /// # Errors
    /// When training was not prepared, or the backend fails.
    pub async fn advance(&mut self, steps: u32) -> Result<Vec<StepMetrics>> {
        let Some((_, prepared)) = &self.prepared else {
            return Err(Error::mismatch("training", "a prepared step", "none"));
        };
        let steps = steps.min(RING as u32 / 2);
        let ring = self.state("metrics")?;
        let reading = Box::pin(self.backend.run_and_read(prepared, steps, ring, RING * 4));
        let first = self.step;
        self.step += steps;
        let before = self.reading.replace((first, self.step, reading));
        finish(before).await
    }

    /// Waits for all submitted steps and returns the metrics not yet returned.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn drain(&mut self) -> Result<Vec<StepMetrics>> {
        let before = self.reading.take();
        finish(before).await
    }

    /// Starts an evaluation on the split "train" or "test" as the network is now.
    ///
    /// # Errors
    /// When the split is unknown or the backend has no room.
    pub async fn evaluation(&self, split: &str) -> Result<Evaluation<B>> {
        Evaluation::new(self, split).await
    }

    /// Prepares the forward pass that shows every layer for one image.
    ///
    /// # Errors
    /// When the backend has no room.
    pub async fn probe(&self) -> Result<Probe<B>> {
        Probe::new(self).await
    }

    /// All parameters and running statistics by name, in PyTorch's layouts.
    ///
    /// # Errors
    /// When the backend cannot read.
    pub async fn parameters(&self) -> Result<Vec<(String, Tensor)>> {
        let (parameters, statistics) = self.read_state().await?;
        self.network.export(&parameters, &statistics)
    }

    /// Overwrites the named parameters and running statistics.
    ///
    /// # Errors
    /// When a name is unknown, a shape differs, or a value is not finite; then nothing changes.
    pub async fn set_parameters(&mut self, named: &[(String, Tensor)]) -> Result<()> {
        let (mut parameters, mut statistics) = self.read_state().await?;
        self.network
            .import(named, &mut parameters, &mut statistics)?;
        self.upload("parameters", words_from_floats(&parameters))?;
        self.upload("statistics", words_from_floats(&statistics))
    }

    async fn read_state(&self) -> Result<(Vec<f32>, Vec<f32>)> {
        let read = |name: &str, words| Ok(self.backend.read(self.state(name)?, 0, words));
        let parameters = read("parameters", self.network.parameter_words())?.await?;
        let statistics = read("statistics", self.network.statistic_words())?.await?;
        let floats = |words: Vec<u32>| words.into_iter().map(f32::from_bits).collect();
        Ok((floats(parameters), floats(statistics)))
    }
}

/// The metrics of steps `first..end`, once their read-back has come.
async fn finish(reading: Option<(u32, u32, Reading)>) -> Result<Vec<StepMetrics>> {
    let Some((first, end, reading)) = reading else {
        return Ok(Vec::new());
    };
    let words = reading.await?;
    let metrics = |step: u32| {
        let at = step as usize % RING * 4;
        let [loss, accuracy] = [words[at], words[at + 1]].map(f32::from_bits);
        StepMetrics {
            step,
            loss,
            accuracy,
        }
    };
    Ok((first..end).map(metrics).collect())
}
