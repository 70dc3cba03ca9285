//! Augmentations: what is done to a batch of training images on the device, at random and differently in
//! every step, so that a network does not learn what does not matter. One file per family, one line per
//! augmentation in [`AUGMENTATIONS`]. Those that move pixels are one gather together; strengths are
//! numbers in small buffers, so that changing one rebuilds nothing. None is on unless chosen, and
//! evaluations never see any.

mod color;
mod mixing;
mod moving;

use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::graph::{Graph, ValueId};
use crate::ops;
use crate::tensor::Spec;

/// Number of floats of a stage's strengths.
pub const N_STRENGTHS: usize = 8;

/// What is done to a batch, in this order. The strengths of the augmentations of one stage share a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Turns, shifts and stretches each image.
    Affine,
    /// Bends each image like rubber.
    Elastic,
    /// Changes colors.
    Color,
    /// Covers a part.
    Cutout,
    /// Shows two images at once.
    Mixup,
}

/// Every stage, in order.
pub const STAGES: [Stage; 5] = [
    Stage::Affine,
    Stage::Elastic,
    Stage::Color,
    Stage::Cutout,
    Stage::Mixup,
];

/// A registry entry.
#[derive(Debug, Clone, Copy)]
pub struct AugmentationInfo {
    /// Key in scripts and links.
    pub id: &'static str,
    /// Name in menus.
    pub name: &'static str,
    /// One sentence with its source.
    pub doc: &'static str,
    /// Its settings, as the page shows them; the defaults are moderate strengths.
    pub fields: fn() -> Vec<Field>,
    /// What keeps the labels true: (id of a dataset, a sentence). "files" are datasets from outside.
    pub keeps: &'static [(&'static str, &'static str)],
    /// When it happens.
    pub stage: Stage,
    /// Writes its strengths beside those of the others of its stage.
    pub strengths: fn(&Values, &mut [f32; N_STRENGTHS]) -> Result<()>,
}

/// Every augmentation.
pub const AUGMENTATIONS: &[AugmentationInfo] = &[
    moving::SHIFT,
    moving::FLIP,
    moving::CROP,
    moving::ROTATION,
    moving::SCALE,
    moving::SHEAR,
    moving::ELASTIC,
    color::JITTER,
    color::CUTOUT,
    mixing::MIXUP,
];

/// The augmentation called `id`.
///
/// # Errors
/// When there is none.
pub fn find_augmentation(id: &str) -> Result<&'static AugmentationInfo> {
    AUGMENTATIONS
        .iter()
        .find(|info| info.id == id)
        .ok_or_else(|| Error::unknown("augmentation", id, AUGMENTATIONS.iter().map(|info| info.id)))
}

/// A batch that was augmented.
#[derive(Debug, Clone, Copy)]
pub struct Augmented {
    /// Images, `[n, h, w, c]`.
    pub images: ValueId,
    /// Their labels, `u32[n]`; the greater part of a mixed image is its own label's.
    pub labels: ValueId,
    /// What they are mixed with, if they are.
    pub mix: Option<Mix>,
}

/// How images are mixed.
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    /// The other images' labels, `u32[n]`.
    pub labels: ValueId,
    /// The share of the own image and label, `[n]`, at least one half.
    pub shares: ValueId,
}

impl Stage {
    /// The outside buffer that holds its strengths.
    pub fn buffer(self) -> &'static str {
        match self {
            Self::Affine => "affine strengths",
            Self::Elastic => "elastic strengths",
            Self::Color => "color strengths",
            Self::Cutout => "cutout strengths",
            Self::Mixup => "mixup strengths",
        }
    }

    /// Its strengths under the augmentations `chosen` with these settings.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn strengths(self, chosen: &[(&AugmentationInfo, &Values)]) -> Result<[f32; N_STRENGTHS]> {
        let mut strengths = [0.0; N_STRENGTHS];
        for (info, values) in chosen.iter().filter(|(info, _)| info.stage == self) {
            (info.strengths)(values, &mut strengths)?;
        }
        Ok(strengths)
    }
}

/// Adds to `graph` the stages `stages` for images `[n, h, w, c]` in 0..1 and their labels, drawn anew for
/// every value of `counters`. What is cut out becomes `mean`, one value per channel.
///
/// # Errors
/// When the shapes do not fit.
pub fn augment(
    graph: &mut Graph,
    stages: &[Stage],
    [images, labels]: [ValueId; 2],
    counters: ValueId,
    mean: &[f32],
) -> Result<Augmented> {
    let [n, h, w, _] = graph.shape(images).four("augment")?;
    let has = |stage| stages.contains(&stage);
    let strengths =
        |graph: &mut Graph, stage: Stage| graph.external(stage.buffer(), Spec::f32([N_STRENGTHS]));
    let mut images = images;
    if has(Stage::Affine) || has(Stage::Elastic) {
        let affine = strengths(graph, Stage::Affine)?;
        let mut positions = ops::affine_positions(graph, affine, counters, [n, h, w])?;
        if has(Stage::Elastic) {
            let elastic = strengths(graph, Stage::Elastic)?;
            let moved = ops::elastic_displacement(graph, elastic, counters, [n, h, w])?;
            positions = ops::add(graph, positions, moved)?;
        }
        images = ops::sample2d(graph, images, positions)?;
    }
    if has(Stage::Color) {
        let color = strengths(graph, Stage::Color)?;
        images = ops::color_jitter(graph, images, color, counters)?;
    }
    if has(Stage::Cutout) {
        let cutout = strengths(graph, Stage::Cutout)?;
        let mean = graph.constant([mean.len()], mean)?;
        images = ops::cutout(graph, images, cutout, counters, mean)?;
    }
    let mut mix = None;
    if has(Stage::Mixup) {
        let mixup = strengths(graph, Stage::Mixup)?;
        let shares = ops::mixup_shares(graph, mixup, counters, n)?;
        images = ops::mix_mirrored(graph, images, shares)?;
        let labels = ops::mirrored(graph, labels)?;
        mix = Some(Mix { labels, shares });
    }
    Ok(Augmented {
        images,
        labels,
        mix,
    })
}

#[cfg(test)]
mod tests {
    use super::{AUGMENTATIONS, STAGES};
    use crate::data::DATASETS;

    #[test]
    fn every_augmentation_says_what_keeps_the_labels_of_every_dataset() {
        for info in AUGMENTATIONS {
            let datasets = DATASETS.iter().map(|dataset| dataset.id).chain(["files"]);
            for dataset in datasets {
                let said = info.keeps.iter().find(|(id, _)| *id == dataset);
                let said = said.map(|(_, sentence)| *sentence).unwrap_or_default();
                assert!(said.ends_with('.'), "{} on {dataset}: {said:?}", info.id);
            }
        }
    }

    #[test]
    fn every_stage_is_some_augmentation() {
        for stage in STAGES {
            assert!(
                AUGMENTATIONS.iter().any(|info| info.stage == stage),
                "{stage:?}"
            );
        }
    }
}
