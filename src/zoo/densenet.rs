//! Densely connected networks (Huang, Liu, van der Maaten & Weinberger, "Densely Connected Convolutional
//! Networks", CVPR 2017): those for ImageNet (Table 1), and those for CIFAR (section 4.2) with bottlenecks and
//! compression (BC) or without.

use crate::nn::fields;

use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::nn::{NetworkSpec, activation_field};

use super::Architecture;
use super::stack::{Stack, at_least};

pub(super) const FULL: Architecture = Architecture {
    id: "densenet",
    name: "DenseNet",
    doc: "Four dense blocks for ImageNet (Huang et al. 2017): 7,978,856 parameters at 121 layers.",
    family: "densenet",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: || {
        let doc = "Layers with weights; 161 is the wider one (growth 48 instead of 32).";
        vec![Field::choice(
            "depth",
            doc,
            &["121", "169", "201", "161"],
            "121",
        )]
    },
    spec: full,
};

pub(super) const CIFAR: Architecture = Architecture {
    id: "densenet-bc",
    name: "DenseNet-BC",
    doc: "Three dense blocks for small images, with bottlenecks and compression (Huang et al. 2017): 71,686 \
          parameters at 22 layers and a growth of 12.",
    family: "densenet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || {
        let depth = "Layers with weights: 4 more than a multiple of 6 (of 3 without bottlenecks).";
        vec![
            Field::integer("depth", depth, 10.0, 100.0, 22.0),
            Field::integer("growth", "Maps that each layer adds.", 2.0, 40.0, 12.0),
            Field::bool(
                "bottleneck",
                "Whether a 1x1 convolution comes before each 3x3.",
                true,
            ),
            Field::number(
                "compression",
                "Share of the maps that a transition keeps.",
                0.25,
                1.0,
                0.5,
            ),
            activation_field("relu"),
        ]
    },
    spec: cifar,
};

fn full(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    at_least(FULL.name, input, 32, "it is halved five times")?;
    let (layers, growth) = match values.choice("depth")?.as_str() {
        "121" => ([6, 12, 24, 16], 32),
        "169" => ([6, 12, 32, 32], 32),
        "201" => ([6, 12, 48, 32], 32),
        _ => ([6, 12, 36, 24], 48),
    };
    let mut stack = Stack::default();
    let mut maps = 2 * growth;
    let stem = fields!({ "out_channels": maps, "kernel": 7, "stride": 2 });
    stack.add("stem", "conv_block", stem);
    let pool = fields!({ "size": 3, "stride": 2, "padding": 1 });
    stack.add("pool", "max_pool2d", pool);
    for (index, layers) in layers.into_iter().enumerate() {
        let fields = fields!({ "layers": layers, "growth": growth });
        stack.add(&format!("block{}", index + 1), "dense_block", fields);
        maps += layers * growth;
        if index < 3 {
            maps /= 2;
            let id = format!("transition{}", index + 1);
            stack.add(&id, "dense_transition", fields!({ "out_channels": maps }));
        }
    }
    finish(stack, FULL.name, "relu", input, classes)
}

fn cifar(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    at_least(CIFAR.name, input, 4, "it is halved twice")?;
    let [depth, growth] = ["depth", "growth"].map(|name| values.integer(name));
    let (depth, growth) = (depth?, growth?);
    let bottleneck = values.bool("bottleneck")?;
    let per_layer = if bottleneck { 6 } else { 3 };
    if depth % per_layer != 4 % per_layer {
        let expected = format!("4 more than a multiple of {per_layer}");
        return Err(Error::mismatch(
            "densenet-bc.depth",
            expected,
            depth.to_string(),
        ));
    }
    let layers = (depth - 4) / per_layer;
    let activation = values.choice("activation")?;
    let compression = values.number("compression")?;
    let mut stack = Stack::default();
    // The first convolution has twice the growth in BC networks, 16 maps in the others.
    let mut maps = if bottleneck { 2 * growth } else { 16 };
    let stem = fields!({ "out_channels": maps, "kernel": 3, "padding": "same", "bias": false });
    stack.add("stem", "conv2d", stem);
    for block in 1..=3 {
        let fields = fields!({ "layers": layers, "growth": growth, "bottleneck": bottleneck,
            "activation": activation });
        stack.add(&format!("block{block}"), "dense_block", fields);
        maps += layers * growth;
        if block < 3 {
            maps = ((maps as f64 * compression) as usize).max(1);
            let fields = fields!({ "out_channels": maps, "activation": activation });
            stack.add(&format!("transition{block}"), "dense_transition", fields);
        }
    }
    finish(stack, CIFAR.name, &activation, input, classes)
}

/// What follows the last block.
fn finish(
    mut stack: Stack,
    name: &str,
    activation: &str,
    input: [usize; 3],
    classes: usize,
) -> Result<NetworkSpec> {
    stack.add("last_norm", "batch_norm2d", fields!({}));
    if activation != "none" {
        stack.add("last_act", activation, fields!({}));
    }
    stack.average_and_classify(0.0, classes);
    Ok(stack.finish(name, input, classes))
}
