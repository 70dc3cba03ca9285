//! Group-equivariant networks (Cohen & Welling, "Group Equivariant Convolutional Networks", ICML 2016): the
//! seven-layer network for rotated MNIST (section 8.1), which is small enough for a browser as it is, and
//! All-CNN-C for CIFAR (section 8.2), each with ordinary convolutions (Z2) or with those of a group, and about
//! as many parameters either way.

use serde_json::Value;

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::nn::NetworkSpec;

use super::Architecture;
use super::stack::{Stack, at_least};

pub(super) const P4CNN: Architecture = Architecture {
    id: "p4cnn",
    name: "P4CNN",
    doc: "Seven convolutions whose filters are applied in all four turns, for rotated digits (Cohen & Welling \
          2016); its Z2 twin has ordinary ones.",
    family: "group-equivariant",
    full: false,
    input: [1, 28, 28],
    classes: 10,
    fields: || vec![group_field("p4")],
    spec: p4cnn,
};

pub(super) const ALL_CNN: Architecture = Architecture {
    id: "p4-all-cnn",
    name: "P4M-All-CNN",
    doc: "All-CNN-C whose filters are applied in all turns and reflections, for CIFAR (Cohen & Welling 2016).",
    family: "group-equivariant",
    full: true,
    input: [3, 32, 32],
    classes: 10,
    fields: || vec![group_field("p4m")],
    spec: all_cnn,
};

fn group_field(default: &str) -> Field {
    let doc = "Translations only (z2), with turns (p4), or with turns and reflections (p4m).";
    Field::choice("group", doc, &["z2", "p4", "p4m"], default)
}

/// The layers of a network over one group.
struct Over {
    group: String,
    stack: Stack,
    first: bool,
}

impl Over {
    fn new(values: &Values) -> Result<Self> {
        Ok(Self {
            group: values.choice("group")?,
            stack: Stack::default(),
            first: true,
        })
    }

    /// Maps that take about as many parameters as `maps` ordinary ones: fewer by the square root of the
    /// group's order.
    fn maps(&self, maps: usize) -> usize {
        let order: f64 = match self.group.as_str() {
            "z2" => 1.0,
            "p4" => 4.0,
            _ => 8.0,
        };
        (maps as f64 / order.sqrt()).round() as usize
    }

    fn conv(&mut self, id: &str, mut fields: Value) {
        let kind = match (self.group.as_str(), self.first) {
            ("z2", _) => "conv2d",
            (_, true) => "p4_lifting_conv2d",
            (_, false) => "p4_conv2d",
        };
        self.first = false;
        self.add(id, kind, &mut fields);
    }

    fn norm(&mut self, id: &str) {
        let kind = match self.group.as_str() {
            "z2" => "batch_norm2d",
            _ => "p4_batch_norm2d",
        };
        self.add(id, kind, &mut fields!({}));
    }

    fn add(&mut self, id: &str, kind: &str, fields: &mut Value) {
        if self.group != "z2" {
            fields["group"] = Value::from(self.group.as_str());
        }
        self.stack.add(id, kind, fields.take());
    }

    /// Each map's largest value over the group and its mean over the image, as class scores.
    fn finish(mut self, name: &str, input: [usize; 3], classes: usize) -> NetworkSpec {
        if self.group != "z2" {
            self.add("group_pool", "group_pool", &mut fields!({}));
        }
        self.stack.add("average", "global_avg_pool2d", fields!({}));
        self.stack.finish(name, input, classes)
    }
}

fn p4cnn(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    let why = "it is halved, and cut by 19 pixels";
    at_least(P4CNN.name, input, 28, why)?;
    let mut over = Over::new(values)?;
    let maps = over.maps(20);
    for layer in 1..=6 {
        let id = format!("conv{layer}");
        over.conv(
            &id,
            fields!({ "out_channels": maps, "kernel": 3, "bias": false }),
        );
        over.norm(&format!("{id}_bn"));
        over.stack.add(&format!("{id}_relu"), "relu", fields!({}));
        if layer == 2 {
            over.stack.add("pool", "max_pool2d", fields!({}));
        }
    }
    let last = fields!({ "out_channels": classes, "kernel": 4, "init": "glorot_uniform" });
    over.conv("conv7", last);
    Ok(over.finish(P4CNN.name, input, classes))
}

fn all_cnn(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    at_least(
        ALL_CNN.name,
        input,
        9,
        "it is halved twice and cut by 2 pixels",
    )?;
    let mut over = Over::new(values)?;
    let (few, many) = (over.maps(96), over.maps(192));
    for (index, (maps, kernel, stride, padding)) in [
        (few, 3, 1, "same"),
        (few, 3, 1, "same"),
        (few, 3, 2, "same"),
        (many, 3, 1, "same"),
        (many, 3, 1, "same"),
        (many, 3, 2, "same"),
        (many, 3, 1, "valid"),
        (many, 1, 1, "same"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("conv{}", index + 1);
        let fields = fields!({ "out_channels": maps, "kernel": kernel, "stride": stride, "padding": padding,
            "bias": false });
        over.conv(&id, fields);
        over.norm(&format!("{id}_bn"));
        over.stack.add(&format!("{id}_relu"), "relu", fields!({}));
    }
    let last = fields!({ "out_channels": classes, "kernel": 1, "init": "glorot_uniform" });
    over.conv("conv9", last);
    Ok(over.finish(ALL_CNN.name, input, classes))
}
