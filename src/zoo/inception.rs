//! GoogLeNet (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, Table 1) and its successor with
//! batch norm (Ioffe & Szegedy, "Batch Normalization", 2015, Fig. 5), and small networks of their modules.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::nn::{NetworkSpec, norm_field};

use super::Architecture;
use super::stack::{Stack, at_least};

pub(super) const GOOGLENET: Architecture = Architecture {
    id: "googlenet",
    name: "GoogLeNet",
    doc: "Nine Inception modules for ImageNet (Szegedy et al. 2015): 6,998,552 parameters as in the paper's \
          table, 13,378,280 with both auxiliary classifiers.",
    family: "inception",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: || {
        let variant = "As in the paper's table, or as in torchvision (6,624,904 parameters): batch norm, and a 3x3 \
                       where the paper has the 5x5.";
        vec![
            Field::choice("variant", variant, &["paper", "torchvision"], "paper"),
            auxiliary_field("Whether the two auxiliary classifiers are trained, too."),
        ]
    },
    spec: googlenet,
};

pub(super) const BN: Architecture = Architecture {
    id: "bn-inception",
    name: "BN-Inception",
    doc: "GoogLeNet with batch norm and two 3x3 convolutions for each 5x5 (Ioffe & Szegedy 2015): 11,285,224 \
          parameters.",
    family: "inception",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: Vec::new,
    spec: bn_inception,
};

pub(super) const MINI: Architecture = Architecture {
    id: "mini-googlenet",
    name: "mini-GoogLeNet",
    doc: "Four Inception modules for small images, after Szegedy et al. 2015.",
    family: "inception",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || {
        let auxiliary = "Whether a classifier behind the second module is trained, too.";
        vec![norm_field("none"), auxiliary_field(auxiliary)]
    },
    spec: |values, input, classes| mini(&MINI, "5x5", values, input, classes),
};

pub(super) const MINI_BN: Architecture = Architecture {
    id: "mini-bn-inception",
    name: "mini-BN-Inception",
    doc: "Four Inception modules with batch norm and two 3x3 convolutions for each 5x5, after Ioffe & Szegedy \
          2015.",
    family: "inception",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || {
        let auxiliary = "Whether a classifier behind the second module is trained, too.";
        vec![norm_field("batch"), auxiliary_field(auxiliary)]
    },
    spec: |values, input, classes| mini(&MINI_BN, "3x3 twice", values, input, classes),
};

/// Maps of a module: 1x1, reduction and 3x3, reduction and 5x5, and behind the pooling.
type Maps = [usize; 6];

/// Table 1 of the paper.
const TABLE: [(&str, Maps); 9] = [
    ("3a", [64, 96, 128, 16, 32, 32]),
    ("3b", [128, 128, 192, 32, 96, 64]),
    ("4a", [192, 96, 208, 16, 48, 64]),
    ("4b", [160, 112, 224, 24, 64, 64]),
    ("4c", [128, 128, 256, 24, 64, 64]),
    ("4d", [112, 144, 288, 32, 64, 64]),
    ("4e", [256, 160, 320, 32, 128, 128]),
    ("5a", [256, 160, 320, 32, 128, 128]),
    ("5b", [384, 192, 384, 48, 128, 128]),
];

/// Figure 5 of the batch-norm paper; a module without a first branch has stride 2.
const BN_TABLE: [(&str, Maps, &str); 10] = [
    ("3a", [64, 64, 64, 64, 96, 32], "avg"),
    ("3b", [64, 64, 96, 64, 96, 64], "avg"),
    ("3c", [0, 128, 160, 64, 96, 0], "max"),
    ("4a", [224, 64, 96, 96, 128, 128], "avg"),
    ("4b", [192, 96, 128, 96, 128, 128], "avg"),
    ("4c", [160, 128, 160, 128, 160, 128], "avg"),
    ("4d", [96, 128, 192, 160, 192, 128], "avg"),
    ("4e", [0, 128, 192, 192, 256, 0], "max"),
    ("5a", [352, 192, 320, 160, 224, 128], "avg"),
    ("5b", [352, 192, 320, 192, 224, 128], "max"),
];

fn module(stack: &mut Stack, id: &str, maps: Maps, third: &str, pool: &str, norm: &str) {
    let [c1, reduce3, c3, reduce5, c5, projection] = maps;
    let stride = if c1 == 0 { 2 } else { 1 };
    let fields = fields!({ "c1": c1, "reduce3": reduce3, "c3": c3, "reduce5": reduce5, "c5": c5, "third": third,
        "pool": pool, "pool_proj": projection, "stride": stride, "norm": norm });
    stack.add(id, "inception", fields);
}

/// The layers before the first module; with `lrn`, responses are normalized as in the paper.
fn beginning(stack: &mut Stack, norm: &str, lrn: bool) {
    let conv = |maps: usize, kernel: usize, stride: usize| fields!({ "out_channels": maps, "kernel": kernel, "stride": stride, "norm": norm });
    let normalize = |stack: &mut Stack, id: &str| {
        if lrn {
            stack.add(id, "local_response_norm", fields!({}));
        }
    };
    stack.add("conv1", "conv_block", conv(64, 7, 2));
    pool(stack, "pool1");
    normalize(stack, "norm1");
    stack.add("conv2_reduce", "conv_block", conv(64, 1, 1));
    stack.add("conv2", "conv_block", conv(192, 3, 1));
    normalize(stack, "norm2");
    pool(stack, "pool2");
}

fn pool(stack: &mut Stack, id: &str) {
    let fields = fields!({ "size": 3, "stride": 2, "ceil": true });
    stack.add(id, "max_pool2d", fields);
}

fn googlenet(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    let auxiliary = values.bool("auxiliary")?;
    let least = if auxiliary { 80 } else { 32 };
    at_least(GOOGLENET.name, input, least, "it is halved five times")?;
    let (third, norm, dropout) = match values.choice("variant")?.as_str() {
        "paper" => ("5x5", "none", 0.4),
        _ => ("3x3", "batch", 0.2),
    };
    let mut stack = Stack::default();
    beginning(&mut stack, norm, norm == "none");
    for (name, maps) in TABLE {
        if name == "4a" || name == "5a" {
            pool(
                &mut stack,
                &format!("pool{}", if name == "4a" { 3 } else { 4 }),
            );
        }
        let id = format!("inception{name}");
        let before = if auxiliary && (name == "4b" || name == "4e") {
            let (number, from) = if name == "4b" {
                (1, "inception4a")
            } else {
                (2, "inception4d")
            };
            auxiliary_classifier(&mut stack, number, norm, classes);
            Some(from)
        } else {
            None
        };
        module(&mut stack, &id, maps, third, "max", norm);
        if let Some(from) = before {
            stack.last_takes(from);
        }
    }
    stack.average_and_classify(dropout, classes);
    Ok(stack.finish(GOOGLENET.name, input, classes))
}

/// The classifier at the side (section 5 of the paper).
fn auxiliary_classifier(stack: &mut Stack, number: usize, norm: &str, classes: usize) {
    let named = |part: &str| format!("aux{number}_{part}");
    stack.add(
        &named("pool"),
        "avg_pool2d",
        fields!({ "size": 5, "stride": 3 }),
    );
    let fields = fields!({ "out_channels": 128, "kernel": 1, "norm": norm });
    stack.add(&named("conv"), "conv_block", fields);
    stack.add(&named("flatten"), "flatten", fields!({}));
    stack.dense_relu(&named("fc"), 1024, 0.7);
    stack.classify(&format!("aux{number}"), classes);
    stack.add(&named("loss"), "auxiliary", fields!({}));
}

fn auxiliary_field(doc: &str) -> Field {
    Field::bool("auxiliary", doc, false)
}

fn bn_inception(_: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    at_least(BN.name, input, 32, "it is halved five times")?;
    let mut stack = Stack::default();
    beginning(&mut stack, "batch", false);
    for (name, maps, pool) in BN_TABLE {
        let id = format!("inception{name}");
        module(&mut stack, &id, maps, "3x3 twice", pool, "batch");
    }
    stack.average_and_classify(0.0, classes);
    Ok(stack.finish(BN.name, input, classes))
}

/// Both small networks: two modules at full size, two at half.
fn mini(
    entry: &Architecture,
    third: &str,
    values: &Values,
    input: [usize; 3],
    classes: usize,
) -> Result<NetworkSpec> {
    at_least(entry.name, input, 8, "it is halved twice")?;
    let norm = values.choice("norm")?;
    let mut stack = Stack::default();
    let fields = fields!({ "out_channels": 32, "kernel": 3, "norm": norm });
    stack.add("stem", "conv_block", fields);
    let halve = fields!({ "size": 3, "stride": 2, "padding": 1 });
    stack.add("pool1", "max_pool2d", halve.clone());
    module(
        &mut stack,
        "inception_a",
        [16, 16, 32, 4, 8, 8],
        third,
        "max",
        &norm,
    );
    module(
        &mut stack,
        "inception_b",
        [32, 32, 48, 8, 24, 16],
        third,
        "max",
        &norm,
    );
    if values.bool("auxiliary")? {
        stack.add("aux_pool", "global_avg_pool2d", fields!({}));
        stack.classify("aux", classes);
        stack.add("aux_loss", "auxiliary", fields!({}));
    }
    stack.add("pool2", "max_pool2d", halve);
    stack.last_takes("inception_b");
    module(
        &mut stack,
        "inception_c",
        [48, 32, 64, 8, 24, 24],
        third,
        "max",
        &norm,
    );
    module(
        &mut stack,
        "inception_d",
        [64, 32, 64, 8, 24, 24],
        third,
        "max",
        &norm,
    );
    stack.average_and_classify(0.0, classes);
    Ok(stack.finish(entry.name, input, classes))
}
