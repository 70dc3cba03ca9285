//! Augmentations that move pixels: all of them together are one gather, with bilinear interpolation and
//! black around the image. Each image gets its own draw, uniform in the range its field gives.

use crate::field::Field;

use super::{AugmentationInfo, Stage};

pub(super) const SHIFT: AugmentationInfo = AugmentationInfo {
    id: "shift",
    name: "Shift",
    doc: "Moves each image by a random fraction of pixels up to a limit, both ways on both axes.",
    fields: || {
        let doc = "Largest distance on each axis, in pixels.";
        vec![Field::number("pixels", doc, 0.0, 16.0, 2.0)]
    },
    keeps: &[
        (
            "pen-digits",
            "Up to 4 pixels the digit stays within its frame of 28.",
        ),
        (
            "shapes",
            "Up to 4 pixels most of the shape stays within the picture of 32.",
        ),
        (
            "files",
            "Up to an eighth of the side for centered objects and digits.",
        ),
    ],
    stage: Stage::Affine,
    strengths: |values, strengths| {
        strengths[0] = values.number("pixels")? as f32;
        Ok(())
    },
};

pub(super) const FLIP: AugmentationInfo = AugmentationInfo {
    id: "flip",
    name: "Horizontal flip",
    doc: "Mirrors an image left to right with a given probability (Krizhevsky et al. 2012, section 4.1).",
    fields: || {
        let doc = "Share of the images that are mirrored.";
        vec![Field::number("probability", doc, 0.0, 1.0, 0.5)]
    },
    keeps: &[
        ("pen-digits", "Never: a mirrored 2, 3 or 5 is no digit."),
        ("shapes", "Any: the shapes are the same from both sides."),
        (
            "files",
            "Photographs of things and animals yes; letters and digits never.",
        ),
    ],
    stage: Stage::Affine,
    strengths: |values, strengths| {
        strengths[1] = values.number("probability")? as f32;
        Ok(())
    },
};

pub(super) const CROP: AugmentationInfo = AugmentationInfo {
    id: "crop",
    name: "Crop with padding",
    doc: "Pads with black and cuts the image's size out again at random whole pixels (He et al. 2016, section 4.2: 4 pixels).",
    fields: || {
        let doc = "Pixels of padding on each side.";
        vec![Field::integer("padding", doc, 0.0, 16.0, 4.0)]
    },
    keeps: &[
        (
            "pen-digits",
            "Up to 4 pixels the digit stays within its frame of 28.",
        ),
        (
            "shapes",
            "Up to 4 pixels most of the shape stays within the picture of 32.",
        ),
        ("files", "Up to an eighth of the side, as on CIFAR."),
    ],
    stage: Stage::Affine,
    strengths: |values, strengths| {
        strengths[2] = values.number("padding")? as f32;
        Ok(())
    },
};

pub(super) const ROTATION: AugmentationInfo = AugmentationInfo {
    id: "rotation",
    name: "Rotation",
    doc: "Turns each image about its center by a random angle up to a limit, both ways.",
    fields: || {
        let doc = "Largest angle, in degrees.";
        vec![Field::number("degrees", doc, 0.0, 180.0, 10.0)]
    },
    keeps: &[
        (
            "pen-digits",
            "Up to 15 degrees; far more makes a 6 a 9, or a 1 a 7.",
        ),
        (
            "shapes",
            "Up to 20 degrees; a square on its corner may be another class.",
        ),
        (
            "files",
            "Up to 15 degrees; any angle where up and down mean nothing.",
        ),
    ],
    stage: Stage::Affine,
    strengths: |values, strengths| {
        strengths[3] = (values.number("degrees")? as f32).to_radians();
        Ok(())
    },
};

pub(super) const SCALE: AugmentationInfo = AugmentationInfo {
    id: "scale",
    name: "Scale",
    doc: "Makes each image larger or smaller about its center by a random factor up to a limit.",
    fields: || {
        let doc = "Largest factor; the smallest is 1 divided by it.";
        vec![Field::number("factor", doc, 1.0, 4.0, 1.15)]
    },
    keeps: &[
        (
            "pen-digits",
            "Up to 1.25 the digit stays within its frame of 28.",
        ),
        (
            "shapes",
            "Up to 1.3 most of the shape stays within the picture of 32.",
        ),
        ("files", "Up to 1.25 for objects that fill their picture."),
    ],
    stage: Stage::Affine,
    strengths: |values, strengths| {
        strengths[4] = (values.number("factor")? as f32).ln();
        Ok(())
    },
};

pub(super) const SHEAR: AugmentationInfo = AugmentationInfo {
    id: "shear",
    name: "Shear",
    doc: "Slants each image sideways by a random angle up to a limit, both ways.",
    fields: || {
        let doc = "Largest angle, in degrees.";
        vec![Field::number("degrees", doc, 0.0, 45.0, 10.0)]
    },
    keeps: &[
        ("pen-digits", "Up to 20 degrees, as handwriting slants."),
        (
            "shapes",
            "Up to 10 degrees; a slanted square is no longer one.",
        ),
        ("files", "Up to 15 degrees for handwriting and photographs."),
    ],
    stage: Stage::Affine,
    strengths: |values, strengths| {
        strengths[5] = (values.number("degrees")? as f32).to_radians().tan();
        Ok(())
    },
};

pub(super) const ELASTIC: AugmentationInfo = AugmentationInfo {
    id: "elastic",
    name: "Elastic warp",
    doc: "Moves every pixel along a smooth random field, as the muscles of a hand do (Simard, Steinkraus & Platt 2003).",
    fields: || {
        let alpha = "Scale of the displacements: random numbers in -1..1, smoothed and then multiplied by this.";
        let sigma = "Width of the smoothing, in pixels; narrower is rougher.";
        vec![
            Field::number("alpha", alpha, 0.0, 200.0, 34.0),
            Field::number("sigma", sigma, 1.0, 6.0, 4.0),
        ]
    },
    keeps: &[
        (
            "pen-digits",
            "Alpha up to 40 at sigma 4, about what the paper used for MNIST.",
        ),
        (
            "shapes",
            "Alpha up to 20 at sigma 4; more rounds the corners away.",
        ),
        (
            "files",
            "Alpha up to 40 at sigma 4 for handwriting; no gain is known for photographs.",
        ),
    ],
    stage: Stage::Elastic,
    strengths: |values, strengths| {
        strengths[0] = values.number("alpha")? as f32;
        strengths[1] = values.number("sigma")? as f32;
        Ok(())
    },
};
