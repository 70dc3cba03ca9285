//! A network being trained: its state on the backend, and the prepared step that advances it.

mod calibration;
mod preparing;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use litemap::LiteMap;

use crate::backend::Backend;
use crate::data::{N_STRENGTHS, STAGES};
use crate::error::{Error, Result};
use crate::nn::Network;
use crate::tensor::Tensor;

use super::evaluation::Evaluation;
use super::loaded::Loaded;
use super::optimizers::N_SETTINGS;
use super::plan::{Pick, Plan};
use super::preview::augmented;
use super::probe::{Probe, forward};
use super::schedules::find_schedule;
use super::step::{AVERAGE, RING, StepMetrics, slot_name};
use super::words_from_floats;

/// A step under preparation.
pub type Preparing<B> = Pin<Box<dyn Future<Output = Result<<B as Backend>::Prepared>>>>;

type Reading = Pin<Box<dyn Future<Output = Result<Vec<u32>>>>>;

/// A network, its state on the backend, and the training step.
pub struct Session<B: Backend> {
    backend: B,
    data: Rc<Loaded<B>>,
    network: Rc<Network>,
    buffers: LiteMap<String, B::Buffer>,
    /// The plan that the buffers are for.
    plan: Option<Plan>,
    /// Its step; none while it is being prepared, or when that was given up.
    prepared: Option<B::Prepared>,
    step: u32,
    /// The step with which the average of the weights began.
    averaged_from: u32,
    /// Whether the weights were drawn, and not set from outside.
    is_drawn: bool,
    /// The read-back of the steps submitted last.
    reading: Option<Submitted>,
}

/// Steps `first..end`, whose metrics are on their way.
struct Submitted {
    first: u32,
    end: u32,
    /// Their learning rate, where no schedule moves it.
    rate: Option<f32>,
    reading: Reading,
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
        let mut buffers = LiteMap::new();
        for (name, words) in [
            ("parameters", network.parameter_words()),
            ("statistics", network.statistic_words()),
            ("counters", 4),
            ("settings", N_SETTINGS),
            ("settings now", N_SETTINGS),
            ("schedule", N_SETTINGS),
            ("schedule state", N_SETTINGS),
            ("clipping", 2),
            ("averaging", 2),
            ("metrics", RING * 4),
        ] {
            buffers.insert(name.to_owned(), backend.allocate(name, words)?);
        }
        for stage in STAGES {
            let buffer = backend.allocate(stage.buffer(), N_STRENGTHS)?;
            buffers.insert(stage.buffer().to_owned(), buffer);
        }
        let mut session = Self {
            backend: backend.clone(),
            data,
            network: Rc::new(network),
            buffers,
            plan: None,
            prepared: None,
            step: 0,
            averaged_from: 0,
            is_drawn: true,
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
        self.upload("schedule state", &[0; N_SETTINGS])?;
        self.step = 0;
        self.is_drawn = true;
        self.reading = None;
        Ok(())
    }

    fn upload(&self, name: &str, words: &[u32]) -> Result<()> {
        self.backend.upload(self.state(name)?, 0, words)
    }

    /// Starts the average of the weights, if there is one, with the next step.
    fn restart_average(&mut self, step: u32) -> Result<()> {
        self.averaged_from = step;
        let decay = self.plan.as_ref().map_or(0.0, |plan| plan.averaging);
        self.upload("averaging", words_from_floats(&[decay, step as f32]))
    }

    fn clear_slots(&self) -> Result<()> {
        let zeros = vec![0; self.network.parameter_words()];
        (0..)
            .map(slot_name)
            .map_while(|name| self.buffers.get(&name))
            .try_for_each(|buffer| self.backend.upload(buffer, 0, &zeros))
    }

    /// Submits `steps` more steps (at most half the metrics ring) and returns the metrics of the
    /// steps submitted by the call before, so that the device never waits for the host.
    ///
    /// # Errors
    /// When training was not prepared, or the backend fails.
    pub async fn advance(&mut self, steps: u32) -> Result<Vec<StepMetrics>> {
        let (Some(plan), Some(prepared)) = (&self.plan, &self.prepared) else {
            return Err(Error::mismatch("training", "a prepared step", "none"));
        };
        let steps = steps.min(RING as u32 / 2);
        let ring = self.state("metrics")?;
        let reading = Box::pin(self.backend.run_and_read(prepared, steps, ring, RING * 4));
        let rate = match find_schedule(&plan.schedule.id)?.follow {
            Some(_) => None,
            None => Some(plan.optimizer.values.number("learningRate")? as f32),
        };
        let first = self.step;
        self.step += steps;
        let end = self.step;
        let submitted = Submitted {
            first,
            end,
            rate,
            reading,
        };
        finish(self.reading.replace(submitted)).await
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
        Evaluation::new(self, split, "parameters").await
    }

    /// The same with the running average of the weights in their place; running statistics are the
    /// network's own.
    ///
    /// # Errors
    /// As [`Session::evaluation`], or when no training has kept an average.
    pub async fn averaged_evaluation(&self, split: &str) -> Result<Evaluation<B>> {
        if !self.buffers.contains_key(AVERAGE) || self.step == self.averaged_from {
            let expected = "training with weight averaging first";
            return Err(Error::mismatch("averaged evaluation", expected, "none"));
        }
        Evaluation::new(self, split, AVERAGE).await
    }

    /// `count` versions of training image `index`, `[c, h, w]` in 0..1, as `augmentations` draw them
    /// from `seed`.
    ///
    /// # Errors
    /// When there is no such image, or `count` is not 1 to 64.
    pub async fn augmented(
        &self,
        index: usize,
        augmentations: &[Pick],
        count: usize,
        seed: u32,
    ) -> Result<Vec<Tensor>> {
        augmented(self, index, augmentations, count, seed).await
    }

    /// Prepares the forward pass that shows every layer for one image.
    ///
    /// # Errors
    /// When the backend has no room.
    pub async fn probe(&self) -> Result<Probe<B>> {
        Probe::new(self, forward(self)?, None).await
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
        self.restart_average(self.step)?;
        self.is_drawn = false;
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

/// The metrics of submitted steps, once their read-back has come.
async fn finish(submitted: Option<Submitted>) -> Result<Vec<StepMetrics>> {
    let Some(submitted) = submitted else {
        return Ok(Vec::new());
    };
    let words = submitted.reading.await?;
    let metrics = |step: u32| {
        let at = step as usize % RING * 4;
        let [loss, accuracy, rate] = [words[at], words[at + 1], words[at + 2]].map(f32::from_bits);
        StepMetrics {
            step,
            loss,
            accuracy,
            rate: submitted.rate.unwrap_or(rate),
        }
    };
    Ok((submitted.first..submitted.end).map(metrics).collect())
}
