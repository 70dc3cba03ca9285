//! AlexNet (Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional Neural
//! Networks", NIPS 2012) in the variants that are all called so, and ZFNet (Zeiler & Fergus, "Visualizing and
//! Understanding Convolutional Networks", ECCV 2014), which is AlexNet with a finer beginning.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::nn::NetworkSpec;

use super::Architecture;
use super::stack::{Stack, at_least};

pub(super) const FULL: Architecture = Architecture {
    id: "alexnet",
    name: "AlexNet",
    doc: "Five convolutions and three dense layers for ImageNet, of Krizhevsky et al. 2012: 60,965,224 \
          parameters as published (grouped).",
    family: "alexnet",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: || {
        let doc = "As published, on two GPUs (grouped, 60,965,224 parameters); without the groups (62,378,344); \
                   Krizhevsky's \"one weird trick\" of 2014 with fewer filters, as in torchvision (one-tower, \
                   61,100,840); or with 56x56 maps and 2x2 pooling, as lectures draw it (76,009,832).";
        vec![Field::choice(
            "variant",
            doc,
            &["grouped", "ungrouped", "one-tower", "lecture"],
            "grouped",
        )]
    },
    spec: full,
};

pub(super) const ZFNET: Architecture = Architecture {
    id: "zfnet",
    name: "ZFNet",
    doc: "AlexNet with 7x7 filters of stride 2 at the beginning, which leaves fewer of them dead (Zeiler & \
          Fergus 2014): 62,357,608 parameters.",
    family: "alexnet",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: Vec::new,
    spec: zfnet,
};

pub(super) const MINI: Architecture = Architecture {
    id: "mini-alexnet",
    name: "mini-AlexNet",
    doc: "AlexNet for small images: a coarse, strided first layer, local response normalization, overlapping \
          pooling and dropout, after Krizhevsky et al. 2012.",
    family: "alexnet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: mini_fields,
    spec: |values, input, classes| mini(&MINI, [(5, 2), (5, 1)], values, input, classes),
};

pub(super) const MINI_ZFNET: Architecture = Architecture {
    id: "mini-zfnet",
    name: "mini-ZFNet",
    doc: "mini-AlexNet with small filters of stride 1 at the beginning and the stride in the second layer, \
          after Zeiler & Fergus 2014.",
    family: "alexnet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: mini_fields,
    spec: |values, input, classes| mini(&MINI_ZFNET, [(3, 1), (5, 2)], values, input, classes),
};

fn mini_fields() -> Vec<Field> {
    vec![
        Field::bool(
            "lrn",
            "Whether responses are normalized across neighboring maps.",
            true,
        ),
        Field::number("dropout", "Dropout before the dense layers.", 0.0, 0.9, 0.5),
    ]
}

fn full(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    at_least(FULL.name, input, 63, "its sides become 32 times smaller")?;
    let variant = values.choice("variant")?;
    let lecture = variant == "lecture";
    let maps = match variant.as_str() {
        "one-tower" => [64, 192, 384, 256, 256],
        _ => [96, 256, 384, 384, 256],
    };
    let groups = if variant == "grouped" { 2 } else { 1 };
    let normalized = variant == "grouped" || variant == "ungrouped";
    let mut stack = Stack::default();
    let pad = if lecture { 5 } else { 2 };
    let first = fields!({ "out_channels": maps[0], "kernel": 11, "stride": 4, "padding": "explicit",
        "pad_top": pad, "pad_bottom": pad, "pad_left": pad, "pad_right": pad });
    stack.add("conv1", "conv2d", first);
    stack.add("conv1_relu", "relu", fields!({}));
    let pool = if lecture {
        fields!({ "size": 2 })
    } else {
        fields!({ "size": 3, "stride": 2 })
    };
    for (index, &maps) in maps.iter().enumerate() {
        let number = index + 1;
        if index > 0 {
            // The second GPU saw the first one's maps in the third layer only.
            let groups = if index == 2 { 1 } else { groups };
            let kernel = if index == 1 { 5 } else { 3 };
            let fields = fields!({ "out_channels": maps, "kernel": kernel, "groups": groups, "padding": "same" });
            stack.add(&format!("conv{number}"), "conv2d", fields);
            stack.add(&format!("conv{number}_relu"), "relu", fields!({}));
        }
        if normalized && index < 2 {
            stack.add(&format!("norm{number}"), "local_response_norm", fields!({}));
        }
        if index < 2 || index == 4 {
            stack.add(&format!("pool{number}"), "max_pool2d", pool.clone());
        }
    }
    dense_layers(&mut stack, classes);
    Ok(stack.finish(FULL.name, input, classes))
}

/// The three dense layers of the ImageNet networks of these years.
pub(super) fn dense_layers(stack: &mut Stack, classes: usize) {
    stack.add("flatten", "flatten", fields!({}));
    stack.dropout("dropout", 0.5);
    stack.dense_relu("fc6", 4096, 0.5);
    stack.dense_relu("fc7", 4096, 0.0);
    stack.classify("fc8", classes);
}

fn zfnet(_: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    at_least(ZFNET.name, input, 63, "its sides become 32 times smaller")?;
    let mut stack = Stack::default();
    let relu = |stack: &mut Stack, number: usize| {
        stack.add(&format!("conv{number}_relu"), "relu", fields!({}));
    };
    let first = fields!({ "out_channels": 96, "kernel": 7, "stride": 2, "padding": "explicit",
        "pad_top": 1, "pad_bottom": 1, "pad_left": 1, "pad_right": 1 });
    stack.add("conv1", "conv2d", first);
    relu(&mut stack, 1);
    let pool = fields!({ "size": 3, "stride": 2, "padding": 1 });
    stack.add("pool1", "max_pool2d", pool.clone());
    stack.add("norm1", "local_response_norm", fields!({}));
    let second = fields!({ "out_channels": 256, "kernel": 5, "stride": 2 });
    stack.add("conv2", "conv2d", second);
    relu(&mut stack, 2);
    stack.add("pool2", "max_pool2d", pool);
    stack.add("norm2", "local_response_norm", fields!({}));
    for (number, maps) in [(3, 384), (4, 384), (5, 256)] {
        let fields = fields!({ "out_channels": maps, "kernel": 3, "padding": "same" });
        stack.add(&format!("conv{number}"), "conv2d", fields);
        relu(&mut stack, number);
    }
    let last = fields!({ "size": 3, "stride": 2 });
    stack.add("pool5", "max_pool2d", last);
    dense_layers(&mut stack, classes);
    Ok(stack.finish(ZFNET.name, input, classes))
}

/// Both small networks: the first two convolutions have these filters and strides.
fn mini(
    entry: &Architecture,
    beginning: [(usize, usize); 2],
    values: &Values,
    input: [usize; 3],
    classes: usize,
) -> Result<NetworkSpec> {
    at_least(entry.name, input, 12, "it is halved four times")?;
    let (lrn, dropout) = (values.bool("lrn")?, values.number("dropout")?);
    let mut stack = Stack::default();
    let pool = fields!({ "size": 3, "stride": 2, "padding": 1 });
    for (index, maps) in [48, 96, 128, 128, 96].into_iter().enumerate() {
        let number = index + 1;
        let (kernel, stride) = beginning.get(index).copied().unwrap_or((3, 1));
        let fields =
            fields!({ "out_channels": maps, "kernel": kernel, "stride": stride, "norm": "none" });
        stack.add(&format!("conv{number}"), "conv_block", fields);
        if lrn && index < 2 {
            stack.add(&format!("norm{number}"), "local_response_norm", fields!({}));
        }
        if index < 2 || index == 4 {
            stack.add(&format!("pool{number}"), "max_pool2d", pool.clone());
        }
    }
    stack.add("flatten", "flatten", fields!({}));
    stack.dropout("dropout", dropout);
    stack.dense_relu("fc6", 384, dropout);
    stack.dense_relu("fc7", 192, 0.0);
    stack.classify("fc8", classes);
    Ok(stack.finish(entry.name, input, classes))
}
