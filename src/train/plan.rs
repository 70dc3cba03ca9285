//! How to train, as choices from the registries with checked settings; and which of them are built into
//! the training step, so that the rest can change without building it again.

use serde_json::{Map, Value};

use crate::data::{AugmentationInfo, STAGES, Stage, find_augmentation};
use crate::error::{Error, Result};
use crate::field::{Field, Values};

use super::losses::{LOSSES, find_loss};
use super::optimizers::find_optimizer;
use super::schedules::{SCHEDULES, find_schedule};

/// An entry of a registry with its checked settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Pick {
    /// Key of the entry.
    pub id: String,
    /// Its settings.
    pub values: Values,
}

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What updates the parameters.
    pub optimizer: Pick,
    /// Images per step.
    pub batch: usize,
    /// How the learning rate moves.
    pub schedule: Pick,
    /// What is made small.
    pub loss: Pick,
    /// What is done to training images before they are learned from.
    pub augmentations: Vec<Pick>,
    /// Largest norm of all gradients together, and largest size of each; 0 is no limit.
    pub clipping: [f32; 2],
    /// Share of the average of the weights that survives each step; 0 keeps no average.
    pub averaging: f32,
    /// The step before which training ends, for schedules that end with it.
    pub until: Option<u32>,
}

/// What the training step is built from; a plan with the same structure runs the same program.
#[derive(Debug, PartialEq)]
pub(super) struct Structure {
    optimizer: String,
    batch: usize,
    schedule: String,
    loss: Pick,
    stages: Vec<Stage>,
    clips: bool,
    averages: bool,
}

impl Pick {
    fn new(id: &str, fields: &[Field], given: &Map<String, Value>) -> Result<Self> {
        Ok(Self {
            id: id.to_owned(),
            values: Values::check(id, fields, given)?,
        })
    }

    /// An optimizer; missing settings take their defaults.
    ///
    /// # Errors
    /// When there is none of this name, or a setting is wrong.
    pub fn optimizer(id: &str, given: &Map<String, Value>) -> Result<Self> {
        Self::new(id, &(find_optimizer(id)?.fields)(), given)
    }

    /// A schedule, likewise.
    ///
    /// # Errors
    /// As [`Pick::optimizer`].
    pub fn schedule(id: &str, given: &Map<String, Value>) -> Result<Self> {
        Self::new(id, &(find_schedule(id)?.fields)(), given)
    }

    /// A loss, likewise.
    ///
    /// # Errors
    /// As [`Pick::optimizer`].
    pub fn loss(id: &str, given: &Map<String, Value>) -> Result<Self> {
        Self::new(id, &(find_loss(id)?.fields)(), given)
    }

    /// An augmentation, likewise.
    ///
    /// # Errors
    /// As [`Pick::optimizer`].
    pub fn augmentation(id: &str, given: &Map<String, Value>) -> Result<Self> {
        Self::new(id, &(find_augmentation(id)?.fields)(), given)
    }
}

impl Plan {
    /// Training with an optimizer in batches of `batch` images, and everything else at its default: the
    /// first schedule and loss of their registries, no augmentation, no clipping, no averaging.
    ///
    /// # Errors
    /// As [`Pick::optimizer`].
    pub fn new(optimizer: &str, given: &Map<String, Value>, batch: usize) -> Result<Self> {
        let none = Map::new();
        Ok(Self {
            optimizer: Pick::optimizer(optimizer, given)?,
            batch,
            schedule: Pick::schedule(SCHEDULES[0].id, &none)?,
            loss: Pick::loss(LOSSES[0].id, &none)?,
            augmentations: Vec::new(),
            clipping: [0.0; 2],
            averaging: 0.0,
            until: None,
        })
    }

    /// Checks what no registry does.
    pub(super) fn check(&self, images: usize) -> Result<()> {
        if self.batch == 0 || self.batch > images {
            let expected = format!("1 to {images} images (the training split)");
            let found = self.batch.to_string();
            return Err(Error::mismatch("batch size", expected, found));
        }
        if let Some(limit) = self
            .clipping
            .iter()
            .find(|limit| !(limit.is_finite() && **limit >= 0.0))
        {
            let expected = "a finite limit of at least 0";
            return Err(Error::mismatch(
                "gradient clipping",
                expected,
                limit.to_string(),
            ));
        }
        if !(0.0..1.0).contains(&self.averaging) {
            let found = self.averaging.to_string();
            return Err(Error::mismatch(
                "weight averaging",
                "0 (none) to below 1",
                found,
            ));
        }
        Ok(())
    }

    pub(super) fn structure(&self) -> Result<Structure> {
        Ok(Structure {
            optimizer: self.optimizer.id.clone(),
            batch: self.batch,
            schedule: self.schedule.id.clone(),
            loss: self.loss.clone(),
            stages: stages(&self.augmentations)?,
            clips: self.clips(),
            averages: self.averages(),
        })
    }

    pub(super) fn clips(&self) -> bool {
        self.clipping != [0.0; 2]
    }

    pub(super) fn averages(&self) -> bool {
        self.averaging > 0.0
    }
}

/// `augmentations` with their registry entries.
pub(super) fn entries(augmentations: &[Pick]) -> Result<Vec<(&'static AugmentationInfo, &Values)>> {
    augmentations
        .iter()
        .map(|pick| Ok((find_augmentation(&pick.id)?, &pick.values)))
        .collect()
}

/// What `augmentations` do to a batch, in order.
pub(super) fn stages(augmentations: &[Pick]) -> Result<Vec<Stage>> {
    let chosen = entries(augmentations)?;
    let is_chosen = |stage: &Stage| chosen.iter().any(|(info, _)| info.stage == *stage);
    Ok(STAGES.iter().copied().filter(is_chosen).collect())
}
