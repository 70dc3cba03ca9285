//! The dense block and the transition between two of them (Huang, Liu, van der Maaten & Weinberger,
//! "Densely Connected Convolutional Networks", CVPR 2017, section 3): each layer takes the maps of all
//! layers before it and adds `growth` of its own; with bottlenecks, behind a 1x1 convolution to four times
//! as many (DenseNet-B). Normalization and nonlinearity come before each convolution.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;
use super::parts::{Parts, activation_field, channels_field, norm_field};
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "dense_block",
    doc: "Convolutions that each take the maps of all before them (Huang et al. 2017).",
    fields: || {
        vec![
            Field::integer("layers", "How many layers.", 1.0, 64.0, 2.0),
            channels_field("growth", "Maps that each layer adds.", 4.0),
            Field::bool(
                "bottleneck",
                "Whether a 1x1 convolution to four times the growth comes first.",
                true,
            ),
            norm_field("batch"),
            activation_field("relu"),
        ]
    },
    body: Body::Block(expand),
};

pub(super) const TRANSITION: LayerKind = LayerKind {
    id: "dense_transition",
    doc: "1x1 convolution and 2x2 mean pooling between dense blocks (Huang et al. 2017).",
    fields: || {
        let doc = "Maps of the output: all, or half of them (compression).";
        vec![
            channels_field("out_channels", doc, 4.0),
            norm_field("batch"),
            activation_field("relu"),
        ]
    },
    body: Body::Block(transition),
};

fn expand(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let mut parts = Parts::new(id, input, values)?;
    let growth = values.integer("growth")?;
    let mut all = input.to_owned();
    for layer in 1..=values.integer("layers")? {
        let number = |part: usize| format!("{layer}_{part}");
        if values.bool("bottleneck")? {
            parts.norm(&number(1));
            parts.activate(&number(1));
            let fields = fields!({ "out_channels": 4 * growth, "kernel": 1 });
            parts.conv(&format!("conv{}", number(1)), fields);
        }
        parts.norm(&number(2));
        parts.activate(&number(2));
        let fields = fields!({ "out_channels": growth, "kernel": 3 });
        parts.conv(&format!("conv{}", number(2)), fields);
        let new = parts.last();
        parts.join(
            &format!("concat{layer}"),
            "concat",
            &[&all, &new],
            fields!({}),
        );
        all = parts.last();
    }
    Ok(parts.finish())
}

fn transition(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let mut parts = Parts::new(id, input, values)?;
    parts.norm("");
    parts.activate("");
    let fields = fields!({ "out_channels": values.integer("out_channels")?, "kernel": 1 });
    parts.conv("conv", fields);
    parts.add("pool", "avg_pool2d", fields!({}));
    Ok(parts.finish())
}
