//! MobileNet (Howard et al., "MobileNets", 2017), of depthwise separable convolutions, and MobileNetV2
//! (Sandler et al., CVPR 2018), of inverted bottlenecks; each for ImageNet and for small images.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::nn::{NetworkSpec, activation_field};

use super::Architecture;
use super::mbconv::{Recipe, stage};
use super::stack::{Stack, at_least, widened};

pub(super) const V1: Architecture = Architecture {
    id: "mobilenet-v1",
    name: "MobileNet",
    doc: "Thirteen depthwise separable convolutions for ImageNet (Howard et al. 2017): 4,231,976 parameters.",
    family: "mobilenet",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: || vec![width_field()],
    spec: |values, input, classes| {
        at_least(V1.name, input, 32, "it is halved five times")?;
        let rows = [
            (64, 1),
            (128, 2),
            (128, 1),
            (256, 2),
            (256, 1),
            (512, 2),
            (512, 1),
            (512, 1),
            (512, 1),
            (512, 1),
            (512, 1),
            (1024, 2),
            (1024, 1),
        ];
        separable(&V1, (32, 2), &rows, values, input, classes)
    },
};

pub(super) const V2: Architecture = Architecture {
    id: "mobilenet-v2",
    name: "MobileNetV2",
    doc: "Seventeen inverted bottlenecks for ImageNet (Sandler et al. 2018): 3,504,872 parameters.",
    family: "mobilenet",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: || vec![width_field()],
    spec: |values, input, classes| {
        let stages = [
            stage(1, 3, 0.0, 16, 1, 1),
            stage(6, 3, 0.0, 24, 2, 2),
            stage(6, 3, 0.0, 32, 3, 2),
            stage(6, 3, 0.0, 64, 4, 2),
            stage(6, 3, 0.0, 96, 3, 1),
            stage(6, 3, 0.0, 160, 3, 2),
            stage(6, 3, 0.0, 320, 1, 1),
        ];
        let width = values.number("width")?;
        let recipe = Recipe {
            stem: (widened(32, width), 2),
            stages: &stages.map(|one| one.wide(width)),
            // The paper does not make the last layer narrower.
            last: widened(1280, width.max(1.0)),
            activation: "relu6",
            stochastic_depth: 0.0,
            dropout: 0.2,
        };
        recipe.spec(&V2, input, classes)
    },
};

pub(super) const MINI_V1: Architecture = Architecture {
    id: "mini-mobilenet-v1",
    name: "mini-MobileNet",
    doc: "Seven depthwise separable convolutions for small images, after Howard et al. 2017.",
    family: "mobilenet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || vec![width_field(), activation_field("relu")],
    spec: |values, input, classes| {
        at_least(MINI_V1.name, input, 4, "it is halved twice")?;
        let rows = [
            (32, 1),
            (64, 2),
            (64, 1),
            (128, 2),
            (128, 1),
            (128, 1),
            (128, 1),
        ];
        separable(&MINI_V1, (16, 1), &rows, values, input, classes)
    },
};

pub(super) const MINI_V2: Architecture = Architecture {
    id: "mini-mobilenet",
    name: "mini-MobileNetV2",
    doc: "Seven inverted bottlenecks for small images, after Sandler et al. 2018.",
    family: "mobilenet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || {
        let doc = "How many times more maps are inside a block.";
        vec![
            Field::integer("expansion", doc, 1.0, 8.0, 6.0),
            width_field(),
            activation_field("relu6"),
        ]
    },
    spec: |values, input, classes| {
        let expansion = values.integer("expansion")?;
        let width = values.number("width")?;
        let activation = values.choice("activation")?;
        let stages = [
            stage(1, 3, 0.0, 8, 1, 1),
            stage(expansion, 3, 0.0, 16, 2, 2),
            stage(expansion, 3, 0.0, 24, 2, 2),
            stage(expansion, 3, 0.0, 32, 2, 1),
        ];
        let recipe = Recipe {
            stem: (widened(16, width), 1),
            stages: &stages.map(|one| one.wide(width)),
            last: widened(128, width),
            activation: &activation,
            stochastic_depth: 0.0,
            dropout: 0.0,
        };
        recipe.spec(&MINI_V2, input, classes)
    },
};

fn width_field() -> Field {
    let doc = "Factor on the numbers of maps.";
    Field::number("width", doc, 0.25, 2.0, 1.0)
}

/// A network of separable convolutions of these maps and strides.
fn separable(
    entry: &Architecture,
    stem: (usize, usize),
    rows: &[(usize, usize)],
    values: &Values,
    input: [usize; 3],
    classes: usize,
) -> Result<NetworkSpec> {
    let width = values.number("width")?;
    // The full network has the paper's rectifier.
    let activation = values
        .choice("activation")
        .unwrap_or_else(|_| "relu".to_owned());
    let mut stack = Stack::default();
    let fields = fields!({ "out_channels": widened(stem.0, width), "stride": stem.1, "activation": activation });
    stack.add("stem", "conv_block", fields);
    for (index, &(maps, stride)) in rows.iter().enumerate() {
        let maps = widened(maps, width);
        let fields = fields!({ "out_channels": maps, "stride": stride,
            "activation": activation });
        stack.add(
            &format!("separable{}", index + 1),
            "separable_block",
            fields,
        );
    }
    stack.average_and_classify(0.0, classes);
    Ok(stack.finish(entry.name, input, classes))
}
