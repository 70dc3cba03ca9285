//! From what scripts and page say of training to a checked plan, and previews of augmentations.

use serde_json::{Map, Value};

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use crate::train::{LOSSES, OPTIMIZERS, Pick, Plan, SCHEDULES};
use crate::visualize::Picture;

use super::lab::{Lab, split_id};
use super::messages::{AugmentOptions, TrainOptions};

type Given = Map<String, Value>;

/// The pick that `given` says, or the registry's first at its defaults.
fn pick(
    what: &'static str,
    given: Option<Given>,
    first: &str,
    make: fn(&str, &Given) -> Result<Pick>,
) -> Result<Pick> {
    match given {
        None => make(first, &Map::new()),
        Some(given) => {
            let choice = split_id(what, given)?;
            make(&choice.id, &choice.options)
        }
    }
}

/// The augmentations in order, each at most once.
pub(super) fn augmentations(given: Vec<Given>) -> Result<Vec<Pick>> {
    let mut picks: Vec<Pick> = Vec::new();
    for one in given {
        let choice = split_id("augmentation", one)?;
        if picks.iter().any(|other| other.id == choice.id) {
            let found = format!("{} twice", choice.id);
            return Err(Error::mismatch("augmentations", "each at most once", found));
        }
        picks.push(Pick::augmentation(&choice.id, &choice.options)?);
    }
    Ok(picks)
}

impl<B: Backend> Lab<B> {
    /// Training image `index` as it is, then as the augmentations make it.
    ///
    /// # Errors
    /// When there is no such image, or an augmentation is unknown or wrong.
    pub async fn augment(&self, index: usize, options: AugmentOptions) -> Result<Vec<Picture>> {
        let picks = augmentations(options.augmentations)?;
        let split = &self.session.data().dataset.train;
        let mut versions = vec![split.image(index)?];
        let count = options.count.unwrap_or(8);
        let seed = options.seed;
        versions.extend(self.session.augmented(index, &picks, count, seed).await?);
        let picture = |(i, image): (usize, Tensor)| match i {
            0 => Picture::new(format!("Training image {index}"), &image, false),
            _ => Picture::new(format!("Version {i}"), &image, false),
        };
        versions.into_iter().enumerate().map(picture).collect()
    }
}

/// The plan for training with `options` in batches of `batch`, whose schedule ends with step `until`.
pub(super) fn plan_for(options: &TrainOptions, batch: usize, until: Option<u32>) -> Result<Plan> {
    let TrainOptions {
        optimizer,
        schedule,
        loss,
        ..
    } = options.clone();
    Ok(Plan {
        optimizer: pick("optimizer", optimizer, OPTIMIZERS[0].id, Pick::optimizer)?,
        batch,
        schedule: pick("schedule", schedule, SCHEDULES[0].id, Pick::schedule)?,
        loss: pick("loss", loss, LOSSES[0].id, Pick::loss)?,
        augmentations: augmentations(options.augmentations.clone().unwrap_or_default())?,
        clipping: [options.clip_norm, options.clip_value].map(|limit| limit.unwrap_or(0.0)),
        averaging: options.averaging.unwrap_or(0.0),
        until,
    })
}
