//! Augmentations that change what the pixels of an image are rather than where.

use crate::field::Field;

use super::{AugmentationInfo, Stage};

pub(super) const JITTER: AugmentationInfo = AugmentationInfo {
    id: "color-jitter",
    name: "Color jitter",
    doc: "Multiplies brightness, contrast and saturation by random factors from 1 less to 1 more than a limit (Howard 2013).",
    fields: || {
        let field = |name, doc| Field::number(name, doc, 0.0, 1.0, 0.2);
        vec![
            field("brightness", "Largest change of the brightness."),
            field(
                "contrast",
                "Largest change of the distance from the image's mean gray.",
            ),
            field(
                "saturation",
                "Largest change of the distance from a pixel's own gray; nothing on gray images.",
            ),
        ]
    },
    keeps: &[
        (
            "pen-digits",
            "Brightness and contrast up to 0.5; the ink must stay visible.",
        ),
        ("shapes", "Up to 0.3 each; colors carry no label here."),
        ("files", "Up to 0.4 each for photographs."),
    ],
    stage: Stage::Color,
    strengths: |values, strengths| {
        for (strength, name) in strengths
            .iter_mut()
            .zip(["brightness", "contrast", "saturation"])
        {
            *strength = values.number(name)? as f32;
        }
        Ok(())
    },
};

pub(super) const CUTOUT: AugmentationInfo = AugmentationInfo {
    id: "cutout",
    name: "Cutout",
    doc: "Covers a square around a random pixel with the mean color, so that no part is indispensable (DeVries & Taylor 2017).",
    fields: || {
        let doc = "Side of the square, in pixels.";
        vec![Field::integer("side", doc, 0.0, 64.0, 8.0)]
    },
    keeps: &[
        (
            "pen-digits",
            "Up to 8 of 28 pixels; more can turn an 8 into a 3.",
        ),
        ("shapes", "Up to 12 of 32 pixels."),
        (
            "files",
            "Up to half the side, as on CIFAR-10 (16 of 32); a third for digits.",
        ),
    ],
    stage: Stage::Cutout,
    strengths: |values, strengths| {
        strengths[0] = values.number("side")? as f32;
        Ok(())
    },
};
