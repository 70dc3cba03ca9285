//! Convolution, batch norm and ReLU as one node: `<id>_conv`, `<id>_bn` and `<id>`.

use serde_json::json;

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "conv_bn_relu",
    doc: "Convolution without bias, batch norm and ReLU.",
    fields: || {
        vec![
            Field::integer("out_channels", "Number of filters.", 1.0, 4096.0, 16.0),
            Field::integer("kernel", "Side of the filters.", 1.0, 31.0, 3.0),
            Field::integer("stride", "Step between outputs, in pixels.", 1.0, 16.0, 1.0),
        ]
    },
    body: Body::Block(expand),
};

fn expand(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let fields = json!({
        "out_channels": values.integer("out_channels")?,
        "kernel": values.integer("kernel")?,
        "stride": values.integer("stride")?,
        "padding": "same",
        "bias": false,
    });
    Ok(vec![
        NodeSpec::new(&format!("{id}_conv"), "conv2d", fields).from(&[input]),
        NodeSpec::new(&format!("{id}_bn"), "batch_norm2d", json!({})),
        NodeSpec::new(id, "relu", json!({})),
    ])
}
