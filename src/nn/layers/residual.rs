//! The basic residual block (He et al. 2016, Fig. 2): two 3x3 convolutions with batch norm beside a
//! parameter-free shortcut.

use serde_json::json;

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "residual",
    doc: "Two 3x3 convolutions with batch norm, added to a parameter-free shortcut (He et al. 2016).",
    fields: || {
        vec![
            Field::integer("out_channels", "Maps of the output.", 1.0, 4096.0, 16.0),
            Field::integer("stride", "Step of the first convolution.", 1.0, 16.0, 1.0),
        ]
    },
    body: Body::Block(expand),
};

fn expand(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let (channels, stride) = (values.integer("out_channels")?, values.integer("stride")?);
    let named = |part: &str| format!("{id}_{part}");
    let conv = |stride: usize| json!({ "out_channels": channels, "kernel": 3, "stride": stride, "padding": "same", "bias": false });
    let shortcut = json!({ "out_channels": channels, "stride": stride });
    Ok(vec![
        NodeSpec::new(&named("conv1"), "conv2d", conv(stride)).from(&[input]),
        NodeSpec::new(&named("bn1"), "batch_norm2d", json!({})),
        NodeSpec::new(&named("relu1"), "relu", json!({})),
        NodeSpec::new(&named("conv2"), "conv2d", conv(1)),
        NodeSpec::new(&named("bn2"), "batch_norm2d", json!({})),
        NodeSpec::new(&named("shortcut"), "shortcut", shortcut).from(&[input]),
        NodeSpec::new(&named("add"), "add", json!({})).from(&[&named("bn2"), &named("shortcut")]),
        NodeSpec::new(id, "relu", json!({})),
    ])
}
