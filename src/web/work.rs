//! Jobs: training, evaluations and visualizations, each advanced in slices of about 40 ms so
//! that requests and live pictures come between them.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::task::Poll;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::field::Values;
use crate::train::{Evaluation, Plan, Preparing, StepMetrics};
use crate::visualize::{Job, Picture, Request, find_visualization};

use super::lab::{Image, Lab};
use super::messages::{self, EvaluateOptions, StepEvent, TrainOptions, VisualizeOptions};
use super::pace::Pace;
use super::plans::plan_for;
use super::tiles::layer_index;

/// What a visualization is given in bulk.
#[derive(Debug, Default)]
pub struct Given {
    /// An image.
    pub image: Option<Image>,
    /// One weight for each unit of the layer, direction by direction.
    pub directions: Option<Vec<f32>>,
}

impl From<Option<Image>> for Given {
    fn from(image: Option<Image>) -> Self {
        Self {
            image,
            directions: None,
        }
    }
}

/// Work under way.
#[derive(Debug)]
pub(super) enum Work<B: Backend> {
    Train(Training<B>),
    Evaluate(Evaluation<B>, Pace),
    Visualize(Box<Job<B>>, Pace),
}

/// A training job.
pub(super) struct Training<B: Backend> {
    plan: Box<Plan>,
    stage: Stage<B>,
    /// The first step of this job, and the one before which it ends.
    from: u32,
    until: Option<u32>,
    pace: Pace,
    last: StepEvent,
}

/// How far a training job has come.
enum Stage<B: Backend> {
    New,
    Preparing(Preparing<B>),
    Ready,
}

impl<B: Backend> fmt::Debug for Training<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Training")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// What a slice brought.
#[derive(Debug, Default)]
pub struct Slice {
    /// Whether the job has ended; it is forgotten then.
    pub done: bool,
    /// Share done, 0 to 1; 0 for training without an end.
    pub fraction: f64,
    /// What it is doing, in a few words.
    pub note: Cow<'static, str>,
    /// Whether it only waits, so that the next slice need not come at once.
    pub waits: bool,
    /// Whether it should take only a small share of the time while a network learns.
    pub background: bool,
    /// Training steps that were reported since the slice before.
    pub steps: Vec<StepEvent>,
    /// A training job's last step, at its end.
    pub trained: Option<StepEvent>,
    /// An evaluation's result, at its end.
    pub evaluation: Option<messages::Evaluation>,
    /// A visualization's pictures as they are now.
    pub pictures: Option<Vec<Picture>>,
}

impl<B: Backend> Lab<B> {
    /// Begins training; see [`TrainOptions`].
    ///
    /// # Errors
    /// When an option is unknown, wrong or not offered.
    pub fn begin_training(&mut self, options: TrainOptions) -> Result<u32> {
        let n = self.session.data().dataset.train.len();
        let batch = options.batch_size.unwrap_or_else(|| 32.min(n));
        if let Some(epochs) = options
            .epochs
            .filter(|epochs| !(*epochs > 0.0 && *epochs <= 1e6))
        {
            let expected = "a number above 0, at most 1,000,000";
            return Err(Error::mismatch("epochs", expected, epochs.to_string()));
        }
        // Before anything changes.
        plan_for(&options, batch, Some(0))?;
        if let Some(seed) = options.seed {
            self.reset(Some(seed))?;
        }
        if self
            .jobs
            .values()
            .any(|work| matches!(work, Work::Train(_)))
        {
            return Err(Error::mismatch("training", "one run at a time", "a second"));
        }
        let by_epochs = options.epochs.map(|epochs| {
            (epochs * f64::from(self.session.steps_per_epoch(batch)))
                .round()
                .max(1.0) as u32
        });
        let steps = match (by_epochs, options.steps) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let from = self.session.step();
        let after = |steps: Option<u32>| steps.map(|steps| from.saturating_add(steps));
        let until = after(steps);
        // A single step of a run of ten epochs is the first of many to a schedule.
        let horizon = after(by_epochs.or(steps));
        Ok(self.add(Work::Train(Training {
            plan: Box::new(plan_for(&options, batch, horizon)?),
            stage: Stage::New,
            from,
            until,
            pace: Pace::late(),
            last: StepEvent {
                step: from,
                ..StepEvent::default()
            },
        })))
    }

    /// Begins an evaluation of a split.
    ///
    /// # Errors
    /// When the split is unknown or the backend has no room.
    pub async fn begin_evaluation(&mut self, options: EvaluateOptions) -> Result<u32> {
        let split = options.split.as_deref().unwrap_or("test");
        let evaluation = if options.averaged {
            self.session.averaged_evaluation(split).await?
        } else {
            self.session.evaluation(split).await?
        };
        Ok(self.add(Work::Evaluate(evaluation, Pace::default())))
    }

    /// Begins a visualization.
    ///
    /// # Errors
    /// When the method, layer or channel is unknown, something it needs is missing, a setting is
    /// wrong, or the method does not apply to the layer.
    pub async fn begin_visualization(
        &mut self,
        options: VisualizeOptions,
        given: impl Into<Given>,
    ) -> Result<u32> {
        let Given { image, directions } = given.into();
        let method = find_visualization(&options.method)?;
        let network = self.session.network().clone();
        let missing = |what: &str| Error::mismatch(method.id(), what, "none");
        let needs = method.needs();
        let layer = match &options.layer {
            Some(id) => layer_index(&network, id)?,
            None if needs.layer => return Err(missing("a layer")),
            None => 0,
        };
        let channel = options.channel.unwrap_or(0);
        let channels = network.layers[layer].shape[0];
        if options.channel.is_none() && needs.channel {
            return Err(missing("a channel"));
        }
        if needs.channel && channel >= channels {
            let place = format!("channel of {}", network.layers[layer].id);
            let expected = format!("an index below {channels}");
            return Err(Error::mismatch(place, expected, channel.to_string()));
        }
        let image = match image {
            Some(image) => Some(self.image(image)?),
            None if needs.image => return Err(missing("an image")),
            None => None,
        };
        let data = self.session.data().clone();
        let fields = method.fields_for(network.spec.input);
        let request = Request {
            network: &network,
            normalization: (&data.layout.normalization.0, &data.layout.normalization.1),
            look: data.look(),
            layer,
            channel,
            classes: &data.dataset.classes,
            image: image.as_ref(),
            directions: directions.as_deref(),
            seed: options.seed.into(),
            values: Values::check(method.id(), &fields, &options.fields)?,
            data: Some(&data.layout),
        };
        let job = Job::new(&self.session, method, &request).await?;
        Ok(self.add(Work::Visualize(Box::new(job), Pace::default())))
    }

    fn add(&mut self, work: Work<B>) -> u32 {
        let id = self.next_job;
        self.next_job += 1;
        self.jobs.insert(id, work);
        id
    }

    /// Does a slice of a job; `now` is in milliseconds.
    ///
    /// # Errors
    /// When there is no such job (a new dataset or network ends all), or the backend fails; the job
    /// is forgotten then.
    pub async fn advance(&mut self, id: u32, now: f64) -> Result<Slice> {
        let mut work = self.take(id)?;
        let slice = match &mut work {
            Work::Train(training) => self.advance_training(training, now).await?,
            Work::Evaluate(evaluation, pace) => {
                let done = evaluation.advance(pace.begin(now, 1000)).await?;
                let report = if done {
                    Some(evaluation.report().await?.into())
                } else {
                    None
                };
                let fraction = f64::from(evaluation.fraction());
                Slice {
                    done,
                    fraction,
                    note: "evaluating".into(),
                    evaluation: report,
                    ..Slice::default()
                }
            }
            Work::Visualize(job, pace) => {
                let pictures = Some(job.advance(&self.session, pace.begin(now, 256)).await?);
                let (done, fraction) = (job.finished(), f64::from(job.fraction()));
                Slice {
                    done,
                    fraction,
                    note: "drawing".into(),
                    background: job.streams || job.is_live(),
                    pictures,
                    ..Slice::default()
                }
            }
        };
        if !slice.done {
            self.jobs.insert(id, work);
        }
        Ok(slice)
    }

    async fn advance_training(&mut self, training: &mut Training<B>, now: f64) -> Result<Slice> {
        if !matches!(training.stage, Stage::Ready) {
            return self.advance_preparation(training).await;
        }
        let left = training
            .until
            .map_or(u32::MAX, |until| until - self.session.step());
        if left == 0 {
            return self.end_training(training).await;
        }
        let metrics = self
            .session
            .advance(training.pace.begin(now, left.min(128)))
            .await?;
        let steps = self.report(training, metrics);
        let fraction = training.until.map_or(0.0, |until| {
            f64::from(self.session.step() - training.from) / f64::from(until - training.from)
        });
        Ok(Slice {
            fraction,
            note: "training".into(),
            steps,
            ..Slice::default()
        })
    }

    /// Looks whether the step is there, without waiting for it: the page goes on while kernels are
    /// compiled, and can end the job.
    async fn advance_preparation(&mut self, training: &mut Training<B>) -> Result<Slice> {
        training.stage = match std::mem::replace(&mut training.stage, Stage::New) {
            Stage::New => match self.session.begin_prepare(&training.plan)? {
                Some(preparing) => Stage::Preparing(preparing),
                None => Stage::Ready,
            },
            Stage::Preparing(mut preparing) => {
                match poll_fn(|context| Poll::Ready(preparing.as_mut().poll(context))).await {
                    Poll::Pending => Stage::Preparing(preparing),
                    Poll::Ready(prepared) => {
                        self.session.end_prepare(prepared?);
                        Stage::Ready
                    }
                }
            }
            Stage::Ready => Stage::Ready,
        };
        let note = match self.session.backend().compiling() {
            [0, _] => "preparing".into(),
            [all, done] => format!("compiling kernels: {done} of {all}").into(),
        };
        Ok(Slice {
            note,
            waits: matches!(training.stage, Stage::Preparing(_)),
            ..Slice::default()
        })
    }

    async fn end_training(&mut self, training: &mut Training<B>) -> Result<Slice> {
        let metrics = self.session.drain().await?;
        let steps = self.report(training, metrics);
        let trained = Some(training.last);
        Ok(Slice {
            done: true,
            fraction: 1.0,
            note: "trained".into(),
            steps,
            trained,
            ..Slice::default()
        })
    }

    fn report(&self, training: &mut Training<B>, metrics: Vec<StepMetrics>) -> Vec<StepEvent> {
        let per_epoch = f64::from(self.session.steps_per_epoch(training.plan.batch));
        let images_per_second = training.pace.speed * training.plan.batch as f64;
        let event = |metrics: StepMetrics| StepEvent {
            step: metrics.step + 1,
            epoch: f64::from(metrics.step + 1) / per_epoch,
            loss: metrics.loss.into(),
            accuracy: metrics.accuracy.into(),
            learning_rate: metrics.rate.into(),
            images_per_second,
        };
        let events: Vec<StepEvent> = metrics.into_iter().map(event).collect();
        training.last = events.last().copied().unwrap_or(training.last);
        events
    }

    /// Ends a job now: training reports its last step, an evaluation what it found so far, a
    /// visualization its pictures as they are.
    ///
    /// # Errors
    /// When there is no such job, or the backend fails.
    pub async fn finish(&mut self, id: u32) -> Result<Slice> {
        let done = Slice {
            done: true,
            note: "stopped".into(),
            ..Slice::default()
        };
        match self.take(id)? {
            Work::Train(mut training) => self.end_training(&mut training).await,
            Work::Evaluate(evaluation, _) => {
                let evaluation = Some(evaluation.report().await?.into());
                Ok(Slice { evaluation, ..done })
            }
            Work::Visualize(job, _) => {
                let fraction = f64::from(job.fraction());
                Ok(Slice {
                    fraction,
                    pictures: Some(job.pictures().await?),
                    ..done
                })
            }
        }
    }

    fn take(&mut self, id: u32) -> Result<Work<B>> {
        self.jobs.remove(&id).ok_or_else(|| {
            Error::canceled(format!(
                "job {id}, which a new dataset, network or reset ended"
            ))
        })
    }
}

impl From<crate::train::EvaluationReport> for messages::Evaluation {
    fn from(report: crate::train::EvaluationReport) -> Self {
        Self {
            loss: report.loss.into(),
            accuracy: report.accuracy.into(),
            confusion: report.confusion,
        }
    }
}
