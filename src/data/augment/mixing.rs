//! Augmentations that show two images at once.

use crate::field::Field;

use super::{AugmentationInfo, Stage};

pub(super) const MIXUP: AugmentationInfo = AugmentationInfo {
    id: "mixup",
    name: "Mixup",
    doc: "Blends each image, and its loss, with another's of the batch, in a share drawn once per step from Beta(alpha, alpha) (Zhang et al. 2018).",
    fields: || {
        let doc =
            "The shape of the distribution: near 0 hardly ever mixes, 1 mixes in all shares alike.";
        vec![Field::number("alpha", doc, 0.05, 1.0, 0.2)]
    },
    keeps: &[
        ("pen-digits", "Any: the label is mixed as the image is."),
        ("shapes", "Any: the label is mixed as the image is."),
        ("files", "Any: the label is mixed as the image is."),
    ],
    stage: Stage::Mixup,
    strengths: |values, strengths| {
        strengths[0] = values.number("alpha")? as f32;
        Ok(())
    },
};
