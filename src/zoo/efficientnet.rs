//! Networks that a search found and a rule grows: MnasNet (Tan et al., "MnasNet: Platform-Aware Neural
//! Architecture Search for Mobile", CVPR 2019) and EfficientNet (Tan & Le, ICML 2019), which grows depth,
//! width and resolution together; each for ImageNet and for small images.

use crate::field::Field;
use crate::nn::activation_field;

use super::Architecture;
use super::mbconv::{Recipe, stage};
use super::stack::widened;

pub(super) const MNASNET: Architecture = Architecture {
    id: "mnasnet",
    name: "MnasNet",
    doc: "Inverted bottlenecks found by a search for speed on a phone (Tan et al. 2019): A1, with \
          squeeze-and-excitation, has 3,887,038 parameters.",
    family: "efficientnet",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: || {
        let doc = "A1 with squeeze-and-excitation; B1 without (4,383,312 parameters), which torchvision calls \
                   mnasnet1_0.";
        vec![Field::choice("variant", doc, &["A1", "B1"], "A1")]
    },
    spec: |values, input, classes| {
        let a1 = [
            stage(1, 3, 0.0, 16, 1, 1),
            stage(6, 3, 0.0, 24, 2, 2),
            stage(3, 5, 0.25, 40, 3, 2),
            stage(6, 3, 0.0, 80, 4, 2),
            stage(6, 3, 0.25, 112, 2, 1),
            stage(6, 5, 0.25, 160, 3, 2),
            stage(6, 3, 0.0, 320, 1, 1),
        ];
        let b1 = [
            stage(1, 3, 0.0, 16, 1, 1),
            stage(3, 3, 0.0, 24, 3, 2),
            stage(3, 5, 0.0, 40, 3, 2),
            stage(6, 5, 0.0, 80, 3, 2),
            stage(6, 3, 0.0, 96, 2, 1),
            stage(6, 5, 0.0, 192, 4, 2),
            stage(6, 3, 0.0, 320, 1, 1),
        ];
        let recipe = Recipe {
            stem: (32, 2),
            stages: if values.choice("variant")? == "A1" {
                &a1
            } else {
                &b1
            },
            last: 1280,
            activation: "relu",
            stochastic_depth: 0.0,
            dropout: 0.2,
        };
        recipe.spec(&MNASNET, input, classes)
    },
};

pub(super) const EFFICIENTNET: Architecture = Architecture {
    id: "efficientnet",
    name: "EfficientNet",
    doc: "Inverted bottlenecks with squeeze-and-excitation, grown in depth, width and resolution together (Tan & \
          Le 2019): B0 has 5,288,548 parameters.",
    family: "efficientnet",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: || {
        let doc = "How far it is grown; made for images of 224, 240, 260, 300, 380, 456, 528 and 600 pixels.";
        let names = SCALES.map(|(name, ..)| name);
        vec![Field::choice("scale", doc, &names, "B0")]
    },
    spec: |values, input, classes| {
        let chosen = values.choice("scale")?;
        let scale = SCALES.iter().find(|(name, ..)| *name == chosen);
        let &(_, width, depth, dropout) = scale.unwrap_or(&SCALES[0]);
        let stages = [
            stage(1, 3, 0.25, 16, 1, 1),
            stage(6, 3, 0.25, 24, 2, 2),
            stage(6, 5, 0.25, 40, 2, 2),
            stage(6, 3, 0.25, 80, 3, 2),
            stage(6, 5, 0.25, 112, 3, 1),
            stage(6, 5, 0.25, 192, 4, 2),
            stage(6, 3, 0.25, 320, 1, 1),
        ];
        let recipe = Recipe {
            stem: (widened(32, width), 2),
            stages: &stages.map(|one| one.wide(width).deep(depth)),
            last: 4 * widened(320, width),
            activation: "silu",
            stochastic_depth: 0.2,
            dropout,
        };
        recipe.spec(&EFFICIENTNET, input, classes)
    },
};

/// Name, width, depth and dropout of the published networks; the exponents 1.1 and 1.2 of the paper, rounded.
const SCALES: [(&str, f64, f64, f64); 8] = [
    ("B0", 1.0, 1.0, 0.2),
    ("B1", 1.0, 1.1, 0.2),
    ("B2", 1.1, 1.2, 0.3),
    ("B3", 1.2, 1.4, 0.3),
    ("B4", 1.4, 1.8, 0.4),
    ("B5", 1.6, 2.2, 0.4),
    ("B6", 1.8, 2.6, 0.5),
    ("B7", 2.0, 3.1, 0.5),
];

pub(super) const MINI_MNASNET: Architecture = Architecture {
    id: "mini-mnasnet",
    name: "mini-MnasNet",
    doc: "Inverted bottlenecks of 3x3 and 5x5 filters, some with squeeze-and-excitation, for small images, after \
          Tan et al. 2019.",
    family: "efficientnet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || vec![activation_field("relu")],
    spec: |values, input, classes| {
        let stages = [
            stage(1, 3, 0.0, 8, 1, 1),
            stage(6, 3, 0.0, 16, 2, 2),
            stage(3, 5, 0.25, 24, 2, 2),
            stage(6, 3, 0.25, 32, 1, 1),
        ];
        let activation = values.choice("activation")?;
        let recipe = Recipe {
            stem: (16, 1),
            stages: &stages,
            last: 128,
            activation: &activation,
            stochastic_depth: 0.0,
            dropout: 0.0,
        };
        recipe.spec(&MINI_MNASNET, input, classes)
    },
};

pub(super) const MINI_EFFICIENTNET: Architecture = Architecture {
    id: "mini-efficientnet",
    name: "mini-EfficientNet",
    doc: "Inverted bottlenecks with squeeze-and-excitation and SiLU for small images, grown in depth and width \
          together, after Tan & Le 2019.",
    family: "efficientnet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || {
        let phi = "How far it is grown: depth times 1.2 and width times 1.1 for each step (equation 3); the \
                   resolution is the data's.";
        let depth = "Probability that the last block's branch is left out for an image; earlier ones in \
                     proportion.";
        vec![
            Field::number("phi", phi, 0.0, 4.0, 0.0),
            Field::number("dropout", "Dropout before the last layer.", 0.0, 0.9, 0.2),
            Field::number("stochastic_depth", depth, 0.0, 0.9, 0.0),
            activation_field("silu"),
        ]
    },
    spec: |values, input, classes| {
        let phi = values.number("phi")?;
        let (depth, width) = (1.2_f64.powf(phi), 1.1_f64.powf(phi));
        let activation = values.choice("activation")?;
        let stages = [
            stage(1, 3, 0.25, 16, 1, 1),
            stage(4, 3, 0.25, 24, 2, 2),
            stage(4, 5, 0.25, 40, 2, 2),
        ];
        let recipe = Recipe {
            stem: (widened(16, width), 1),
            stages: &stages.map(|one| one.wide(width).deep(depth)),
            last: widened(160, width),
            activation: &activation,
            stochastic_depth: values.number("stochastic_depth")?,
            dropout: values.number("dropout")?,
        };
        recipe.spec(&MINI_EFFICIENTNET, input, classes)
    },
};
