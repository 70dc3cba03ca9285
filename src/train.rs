//! Training: a [`Session`] owns a network's state on a backend and runs prerecorded training steps on
//! a dataset that lives there too; an [`Evaluation`] tallies a split; a [`Probe`] shows every layer's
//! activations for one image. Everything comes out as plain values. The clock is the caller's.

mod evaluation;
mod features;
mod gradient_probe;
mod loaded;
mod losses;
mod optimizers;
mod plan;
mod preview;
mod probe;
mod schedules;
mod session;
mod step;

pub use evaluation::{Evaluation, EvaluationReport};
pub use loaded::{Batch, DataLayout, Loaded, Look};
pub use losses::{LOSSES, LossInfo, find_loss};
pub use optimizers::{N_SETTINGS, OPTIMIZERS, OptimizerInfo, Update, find_optimizer};
pub use plan::{Pick, Plan};
pub use probe::{Probe, Ranges, normalized};
pub use schedules::{Horizon, Pacing, SCHEDULES, ScheduleInfo, find_schedule};
pub use session::{Preparing, Session};
pub use step::StepMetrics;

use crate::backend::Backend;
use crate::error::Result;
use crate::program::View;

/// Reads `view` of a prepared program as floats, after all work submitted before.
///
/// # Errors
/// When the backend cannot read.
pub fn read_view<B: Backend>(
    backend: &B,
    prepared: &B::Prepared,
    view: View,
) -> impl Future<Output = Result<Vec<f32>>> + 'static + use<B> {
    let buffer = backend.buffer(prepared, view.buffer);
    let reading = backend.read(&buffer, view.offset, view.words);
    async move { Ok(reading.await?.into_iter().map(f32::from_bits).collect()) }
}

/// Floats as the words that backends move.
pub fn words_from_floats(floats: &[f32]) -> &[u32] {
    bytemuck::cast_slice(floats)
}
