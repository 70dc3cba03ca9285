//! Residual networks (He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition", CVPR 2016): those
//! for ImageNet and those for CIFAR (section 4.2), with nonlinearities behind the convolutions (v1) or before
//! them (v2: "Identity Mappings in Deep Residual Networks", ECCV 2016), their plain twins, and the same with
//! squeeze-and-excitation (Hu, Shen & Sun, CVPR 2018).

use serde_json::Value;

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::nn::{NetworkSpec, activation_field, norm_field, norm_layer};

use super::Architecture;
use super::stack::{Stack, at_least, share_of};

pub(super) const FULL: Architecture = Architecture {
    id: "resnet",
    name: "ResNet",
    doc: "Four stages of residual blocks for ImageNet (He et al. 2016): 25,557,032 parameters at 50 layers.",
    family: "resnet",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: || {
        let version = "As published (v1), with the stride in the 3x3 of a bottleneck as in torchvision (v1.5), or \
                       with nonlinearities before the convolutions (v2).";
        vec![
            Field::choice("depth", DEPTH, &["18", "34", "50", "101", "152"], "50"),
            Field::choice("version", version, &["v1", "v1.5", "v2"], "v1"),
            Field::bool("shortcuts", SHORTCUTS, true),
            norm_field("batch"),
        ]
    },
    spec: |values, input, classes| {
        let options = Options {
            version: values.choice("version")?,
            shortcut: if values.bool("shortcuts")? {
                "projection"
            } else {
                "none"
            },
            norm: values.choice("norm")?,
            activation: "relu".to_owned(),
            reduction: 0,
        };
        imagenet(&FULL, &values.choice("depth")?, &options, input, classes)
    },
};

pub(super) const SE: Architecture = Architecture {
    id: "se-resnet",
    name: "SE-ResNet",
    doc: "ResNet with a squeeze-and-excitation gate on every block (Hu et al. 2018): 28,088,024 parameters at \
          50 layers.",
    family: "resnet",
    full: true,
    input: [3, 224, 224],
    classes: 1000,
    fields: || vec![Field::choice("depth", DEPTH, &["50", "101", "152"], "50")],
    spec: |values, input, classes| {
        let options = Options {
            version: "v1".to_owned(),
            shortcut: "projection",
            norm: "batch".to_owned(),
            activation: "relu".to_owned(),
            reduction: 16,
        };
        imagenet(&SE, &values.choice("depth")?, &options, input, classes)
    },
};

pub(super) const RESNET20: Architecture = Architecture {
    id: "resnet20",
    name: "ResNet-20",
    doc: "Residual blocks of two 3x3 convolutions with parameter-free shortcuts: the CIFAR network of He et al. \
          2016, of 20 layers or another depth.",
    family: "resnet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || cifar_fields(true),
    spec: |values, input, classes| cifar(&RESNET20, values, true, 0, input, classes),
};

pub(super) const PLAIN20: Architecture = Architecture {
    id: "plain20",
    name: "Plain-20",
    doc: "ResNet-20 without its shortcuts, which learns worse the deeper it is (He et al. 2016, Fig. 6).",
    family: "resnet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || cifar_fields(false),
    spec: |values, input, classes| cifar(&PLAIN20, values, false, 0, input, classes),
};

pub(super) const SE20: Architecture = Architecture {
    id: "se-resnet20",
    name: "SE-ResNet-20",
    doc: "ResNet-20 with a squeeze-and-excitation gate on every block (Hu et al. 2018).",
    family: "resnet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || cifar_fields(true),
    spec: |values, input, classes| cifar(&SE20, values, true, 16, input, classes),
};

const DEPTH: &str = "Layers with weights.";
const SHORTCUTS: &str = "Whether blocks have shortcuts; without, it is the plain network.";

fn cifar_fields(shortcuts: bool) -> Vec<Field> {
    let depths = ["8", "14", "20", "32", "44", "56", "110"];
    let version = "Nonlinearities behind the convolutions (v1) or before them (v2).";
    let mut fields = vec![
        Field::choice("depth", DEPTH, &depths, "20"),
        Field::choice("version", version, &["v1", "v2"], "v1"),
    ];
    if shortcuts {
        let doc = "How a shortcut gets its further maps: zeros (option A) or a 1x1 convolution (option B).";
        let options = ["zeros", "projection"];
        fields.push(Field::choice("shortcut", doc, &options, "zeros"));
        let doc = "Probability that the last block's branch is left out for an image, earlier ones in proportion \
                   (Huang et al. 2016).";
        fields.push(Field::number("stochastic_depth", doc, 0.0, 0.9, 0.0));
    }
    fields.extend([norm_field("batch"), activation_field("relu")]);
    fields
}

/// What all blocks of a network have in common.
struct Options {
    version: String,
    shortcut: &'static str,
    norm: String,
    activation: String,
    reduction: usize,
}

impl Options {
    /// Whether nonlinearities come before the convolutions.
    fn before(&self) -> bool {
        self.version == "v2"
    }

    /// The fields of a block; `changes` says whether its output differs in shape from its input.
    fn block(&self, maps: usize, stride: usize, changes: bool) -> Value {
        // The identity needs no projection.
        let shortcut = match self.shortcut {
            "projection" if !changes => "zeros",
            other => other,
        };
        let version = if self.before() { "v2" } else { "v1" };
        fields!({ "out_channels": maps, "stride": stride, "version": version, "shortcut": shortcut,
            "reduction": self.reduction, "norm": self.norm, "activation": self.activation })
    }

    /// The first convolution; in v2 the blocks bring their own normalization.
    fn stem(&self, stack: &mut Stack, maps: usize, kernel: usize, stride: usize) {
        let mut fields = fields!({ "out_channels": maps, "kernel": kernel, "stride": stride,
            "norm": self.norm, "activation": self.activation });
        if self.before() {
            fields = fields!({ "out_channels": maps, "kernel": kernel, "stride": stride, "padding": "same",
                "bias": self.norm == "none" });
            stack.add("stem", "conv2d", fields);
        } else {
            stack.add("stem", "conv_block", fields);
        }
    }

    /// What follows the last block of v2.
    fn end(&self, stack: &mut Stack) {
        if self.before() {
            if let Some(kind) = norm_layer(&self.norm) {
                stack.add("last_norm", kind, fields!({}));
            }
            if self.activation != "none" {
                stack.add("last_act", &self.activation, fields!({}));
            }
        }
    }
}

fn imagenet(
    entry: &Architecture,
    depth: &str,
    options: &Options,
    input: [usize; 3],
    classes: usize,
) -> Result<NetworkSpec> {
    at_least(entry.name, input, 32, "it is halved five times")?;
    let (blocks, bottleneck) = match depth {
        "18" => ([2, 2, 2, 2], false),
        "34" => ([3, 4, 6, 3], false),
        "50" => ([3, 4, 6, 3], true),
        "101" => ([3, 4, 23, 3], true),
        _ => ([3, 8, 36, 3], true),
    };
    let mut stack = Stack::default();
    options.stem(&mut stack, 64, 7, 2);
    let pool = fields!({ "size": 3, "stride": 2, "padding": 1 });
    stack.add("pool", "max_pool2d", pool);
    let widen = if bottleneck { 4 } else { 1 };
    let mut before = 64;
    for (stage, blocks) in blocks.into_iter().enumerate() {
        let maps = (64 << stage) * widen;
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let mut fields = options.block(maps, stride, maps != before || stride > 1);
            let kind = if bottleneck {
                let strided = if options.version == "v1.5" {
                    "3x3"
                } else {
                    "1x1"
                };
                fields["strided"] = Value::from(strided);
                "bottleneck"
            } else {
                "residual"
            };
            stack.add(&format!("stage{}_{}", stage + 1, block + 1), kind, fields);
            before = maps;
        }
    }
    options.end(&mut stack);
    stack.average_and_classify(0.0, classes);
    Ok(stack.finish(entry.name, input, classes))
}

/// The networks of `6 blocks + 2` layers.
fn cifar(
    entry: &Architecture,
    values: &Values,
    shortcuts: bool,
    reduction: usize,
    input: [usize; 3],
    classes: usize,
) -> Result<NetworkSpec> {
    at_least(entry.name, input, 4, "it is halved twice")?;
    let shortcut = match shortcuts.then(|| values.choice("shortcut")).transpose()? {
        None => "none",
        Some(choice) if choice == "projection" => "projection",
        Some(_) => "zeros",
    };
    let left_out = match shortcut {
        "none" => 0.0,
        _ => values.number("stochastic_depth")?,
    };
    let options = Options {
        version: values.choice("version")?,
        shortcut,
        norm: values.choice("norm")?,
        activation: values.choice("activation")?,
        reduction,
    };
    let blocks = match values.choice("depth")?.as_str() {
        "8" => 1,
        "14" => 2,
        "20" => 3,
        "32" => 5,
        "44" => 7,
        "56" => 9,
        _ => 18,
    };
    let mut stack = Stack::default();
    options.stem(&mut stack, 16, 3, 1);
    for (stage, maps) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let mut fields = options.block(maps, stride, stride > 1);
            let done = stage * blocks + block + 1;
            fields["stochastic_depth"] = Value::from(share_of(left_out, done, 3 * blocks));
            let id = format!("stage{}_{}", stage + 1, block + 1);
            stack.add(&id, "residual", fields);
        }
    }
    options.end(&mut stack);
    stack.average_and_classify(0.0, classes);
    Ok(stack.finish(entry.name, input, classes))
}
