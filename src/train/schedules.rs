//! Learning-rate schedules: one file each, one line in [`SCHEDULES`]. The device finds the rate of each
//! step from the step counter and a few numbers, so that training under a schedule writes nothing per
//! step, and every step has the rate that is its own however many go into one submit.

mod constant;
mod cosine;
mod drops;
mod one_cycle;
mod plateau;

use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::graph::{Graph, ValueId};
use crate::ops;

use super::optimizers::N_SETTINGS;

/// How long training is to last, for schedules that end with it.
#[derive(Debug, Clone, Copy)]
pub struct Horizon {
    /// The step before which training ends, if it has an end.
    pub until: Option<u32>,
    /// Steps in an epoch.
    pub per_epoch: u32,
}

/// What a schedule is made of on the device. All of it is `[8]` floats except the last three.
#[derive(Debug, Clone, Copy)]
pub struct Pacing {
    /// The optimizer's settings of this step, to be written.
    pub current: ValueId,
    /// What the schedule remembers, zeros at first.
    pub state: ValueId,
    /// The optimizer's settings.
    pub settings: ValueId,
    /// What `numbers` of the registry entry gave.
    pub numbers: ValueId,
    /// The ring of metrics; column 2 takes the rate.
    pub ring: ValueId,
    /// The losses of this step's batch.
    pub losses: ValueId,
    /// The step counter.
    pub counters: ValueId,
}

/// A registry entry.
#[derive(Debug, Clone, Copy)]
pub struct ScheduleInfo {
    /// Key in scripts and links.
    pub id: &'static str,
    /// Name in menus.
    pub name: &'static str,
    /// One sentence with its source.
    pub doc: &'static str,
    /// Its settings, as the page shows them.
    pub fields: fn() -> Vec<Field>,
    /// The settings as the device wants them.
    pub numbers: fn(&Values, &Horizon) -> Result<[f32; N_SETTINGS]>,
    /// Adds what brings the settings of this step into `current`; nothing where the rate never moves.
    pub follow: Option<fn(&mut Graph, &Pacing) -> Result<ValueId>>,
}

/// Every schedule; the first is the default.
pub const SCHEDULES: &[ScheduleInfo] = &[
    constant::INFO,
    drops::INFO,
    cosine::INFO,
    one_cycle::INFO,
    plateau::INFO,
];

/// The schedule called `id`.
///
/// # Errors
/// When there is none.
pub fn find_schedule(id: &str) -> Result<&'static ScheduleInfo> {
    SCHEDULES
        .iter()
        .find(|info| info.id == id)
        .ok_or_else(|| Error::unknown("schedule", id, SCHEDULES.iter().map(|info| info.id)))
}

/// Follows a curve of [`ops::learning_rate`].
fn curve(graph: &mut Graph, pacing: &Pacing) -> Result<ValueId> {
    let Pacing {
        current,
        ring,
        settings,
        numbers,
        counters,
        ..
    } = *pacing;
    ops::learning_rate(graph, current, ring, settings, numbers, counters)
}

/// The field for how long a schedule lasts.
fn length() -> Field {
    let doc = "Passes over the training images until it ends; 0 ends with the run.";
    Field::number("epochs", doc, 0.0, 10_000.0, 0.0)
}

/// The steps that the field of [`length`] says, at least 1.
fn steps(id: &str, values: &Values, horizon: &Horizon) -> Result<f32> {
    let epochs = values.number("epochs")?;
    if epochs > 0.0 {
        return Ok((epochs * f64::from(horizon.per_epoch)).max(1.0) as f32);
    }
    let until = horizon.until.ok_or_else(|| {
        let expected = "a number of epochs, its own or the run's";
        Error::mismatch(format!("schedule {id}"), expected, "none")
    })?;
    Ok(until.max(1) as f32)
}
