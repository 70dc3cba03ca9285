//! VGG (Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR
//! 2015): stacks of 3x3 convolutions between poolings; and small networks in its manner, with batch norm and
//! a global average in place of the dense layers, at any depth.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::nn::{NetworkSpec, activation_field, norm_field};

use super::Architecture;
use super::alexnet::dense_layers;
use super::stack::{Stack, at_least};

pub(super) const FULL: Architecture = Architecture {
    id: "vgg",
    name: "VGG",
    doc: "Stacks of 3x3 convolutions between poolings and three dense layers, for ImageNet (Simonyan & \
          Zisserman 2015): 138,357,544 parameters at 16 layers.",
    family: "vgg",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: || {
        let doc = "Layers with weights: configurations A, B, D and E of the paper.";
        vec![
            Field::choice("depth", doc, &["11", "13", "16", "19"], "16"),
            norm_field("none"),
            activation_field("relu"),
        ]
    },
    spec: full,
};

pub(super) const MINI: Architecture = Architecture {
    id: "mini-vgg",
    name: "mini-VGG-7",
    doc: "Stacks of 3x3 convolutions (32, 64, 128 maps) with batch norm, pooling between them, after \
          Simonyan & Zisserman 2015.",
    family: "vgg",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || {
        let kinds = ["dense", "separable"];
        let kind = "Whether filters see all maps (dense) or are depthwise and 1x1 ones in turn (separable).";
        vec![
            Field::integer("depth", "Layers with weights.", 4.0, 19.0, 7.0),
            Field::choice("convolution", kind, &kinds, "dense"),
            norm_field("batch"),
            activation_field("relu"),
        ]
    },
    spec: mini,
};

fn full(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    at_least(FULL.name, input, 32, "it is halved five times")?;
    let parts = match values.choice("depth")?.as_str() {
        "11" => [1, 1, 2, 2, 2],
        "13" => [2, 2, 2, 2, 2],
        "16" => [2, 2, 3, 3, 3],
        _ => [2, 2, 4, 4, 4],
    };
    let mut stack = Stack::default();
    for (index, (parts, maps)) in parts.into_iter().zip([64, 128, 256, 512, 512]).enumerate() {
        let stage = index + 1;
        for part in 1..=parts {
            let fields = fields!({ "out_channels": maps, "norm": values.choice("norm")?,
                "activation": values.choice("activation")? });
            stack.add(&format!("conv{stage}_{part}"), "conv_block", fields);
        }
        stack.add(&format!("pool{stage}"), "max_pool2d", fields!({}));
    }
    dense_layers(&mut stack, classes);
    Ok(stack.finish(FULL.name, input, classes))
}

fn mini(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    at_least("mini-vgg", input, 4, "it is halved twice")?;
    let convolutions = values.integer("depth")? - 1;
    let separable = values.choice("convolution")? == "separable";
    let mut stack = Stack::default();
    let mut before = input[0];
    for (index, maps) in [32, 64, 128].into_iter().enumerate() {
        let stage = index + 1;
        if stage > 1 {
            stack.add(&format!("pool{}", stage - 1), "max_pool2d", fields!({}));
        }
        // Layers that do not divide by three go to the later stages.
        for part in 1..=(convolutions + index) / 3 {
            let fields = fields!({ "out_channels": maps, "norm": values.choice("norm")?,
                "activation": values.choice("activation")? });
            // The first layer has too few maps to be worth separating.
            let kind = if separable && before > input[0] {
                "separable_block"
            } else {
                "conv_block"
            };
            stack.add(&format!("block{stage}_{part}"), kind, fields);
            before = maps;
        }
    }
    stack.average_and_classify(0.0, classes);
    Ok(stack.finish(MINI.name, input, classes))
}
