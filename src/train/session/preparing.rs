//! From a plan to a prepared training step: what has to be allocated, what is only written, and what is
//! built again.

use crate::backend::Backend;
use crate::compile::compile;
use crate::data::STAGES;
use crate::error::Result;
use crate::program::Program;

use super::super::optimizers::{N_SETTINGS, find_optimizer};
use super::super::plan::{Plan, entries};
use super::super::schedules::{Horizon, find_schedule};
use super::super::step::{AVERAGE, slot_name, step_graph};
use super::super::words_from_floats;
use super::calibration::Calibration;
use super::{Preparing, Session};

impl<B: Backend> Session<B> {
    /// Prepares training as `plan` says. The optimizer's state is kept unless the optimizer changes, the
    /// schedule's unless the schedule does; the prepared step is kept where only numbers change.
    ///
    /// # Errors
    /// When the plan names what is unknown, a setting is out of its range, or the step does not fit
    /// the backend.
    pub async fn prepare(&mut self, plan: &Plan) -> Result<()> {
        if let Some(preparing) = self.begin_prepare(plan)? {
            self.end_prepare(preparing.await?);
        }
        Ok(())
    }

    /// [`Session::prepare`] for a host that has other things to do: what is left to wait for, and to hand to
    /// [`Session::end_prepare`]; nothing if the prepared step is kept. Until then there is no step, also where the
    /// preparation is given up: its program would be bound to what this call replaced.
    ///
    /// # Errors
    /// As [`Session::prepare`], as far as is known at once.
    pub fn begin_prepare(&mut self, plan: &Plan) -> Result<Option<Preparing<B>>> {
        plan.check(self.data.dataset.train.len())?;
        let limit = self.backend.max_buffer_bytes();
        self.network.check_fits(plan.batch, limit)?;
        let structure = plan.structure()?;
        let before = self.plan.take();
        let differs = |same: fn(&Plan, &Plan) -> bool| {
            before.as_ref().is_none_or(|before| !same(before, plan))
        };
        let (moves, begins) = (
            differs(|a, b| a.schedule == b.schedule),
            plan.averages() && differs(|a, _| a.averages()),
        );
        if begins {
            self.averaged_from = self.step;
            let buffer = self
                .backend
                .allocate(AVERAGE, self.network.parameter_words())?;
            self.buffers.insert(AVERAGE.to_owned(), buffer);
        }
        self.write_settings(plan)?;
        if moves {
            self.upload("schedule state", &[0; N_SETTINGS])?;
        }
        if differs(|a, b| a.optimizer.id == b.optimizer.id) {
            let optimizer = find_optimizer(&plan.optimizer.id)?;
            for name in (0..optimizer.slots).map(slot_name) {
                let buffer = self
                    .backend
                    .allocate(&name, self.network.parameter_words())?;
                self.buffers.insert(name, buffer);
            }
            self.clear_slots()?;
        }
        let before = before.map(|before| before.structure()).transpose()?;
        self.plan = Some(plan.clone());
        let calibration = match self.is_drawn && self.step == 0 {
            true => Calibration::new(self)?,
            false => None,
        };
        let is_kept = before == Some(structure) && self.prepared.is_some();
        if is_kept && calibration.is_none() {
            return Ok(None);
        }
        self.prepared = None;
        let program = self.step_program(plan)?;
        let external = |name: &str| self.buffer(name);
        let preparing = self.backend.prepare(&program, &external);
        let Some(calibration) = calibration else {
            return Ok(Some(Box::pin(preparing)));
        };
        let variances = self.backend.prepare(calibration.program(), &external);
        Ok(Some(Box::pin(async move {
            calibration.run(variances.await?).await?;
            preparing.await
        })))
    }

    /// Writes what of `plan` is numbers.
    fn write_settings(&self, plan: &Plan) -> Result<()> {
        let settings = (find_optimizer(&plan.optimizer.id)?.settings)(&plan.optimizer.values)?;
        self.upload("settings", words_from_floats(&settings))?;
        let horizon = Horizon {
            until: plan.until,
            per_epoch: self.steps_per_epoch(plan.batch),
        };
        let schedule = find_schedule(&plan.schedule.id)?;
        let numbers = (schedule.numbers)(&plan.schedule.values, &horizon)?;
        self.upload("schedule", words_from_floats(&numbers))?;
        self.upload("clipping", words_from_floats(&plan.clipping))?;
        let averaging = [plan.averaging, self.averaged_from as f32];
        self.upload("averaging", words_from_floats(&averaging))?;
        let chosen = entries(&plan.augmentations)?;
        for stage in STAGES {
            let strengths = stage.strengths(&chosen)?;
            self.upload(stage.buffer(), words_from_floats(&strengths))?;
        }
        Ok(())
    }

    /// Takes the step that the last [`Session::begin_prepare`] began to prepare.
    pub fn end_prepare(&mut self, prepared: B::Prepared) {
        self.prepared = Some(prepared);
    }

    /// One training step as a program, to count and time what it dispatches.
    ///
    /// # Errors
    /// When the plan names what is unknown.
    pub fn step_program(&self, plan: &Plan) -> Result<Program> {
        let graph = step_graph(&self.network, &self.data, plan)?;
        Ok(compile(&graph, "training step", &[])?.program)
    }
}
