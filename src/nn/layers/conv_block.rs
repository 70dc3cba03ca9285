//! Convolution, normalization and nonlinearity as one node: `<id>_conv`, `<id>_bn` and `<id>`.

use serde_json::{Map, Value};

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;
use super::parts::{Parts, activation_field, channels_field, norm_field, stride_field};
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "conv_block",
    doc: "Convolution, normalization (batch norm unless chosen otherwise) and nonlinearity.",
    fields: || {
        vec![
            channels_field("out_channels", "Number of filters.", 16.0),
            Field::integer("kernel", "Height of the filters.", 1.0, 31.0, 3.0),
            Field::integer(
                "kernel_width",
                "Width of the filters; 0: as high.",
                0.0,
                31.0,
                0.0,
            ),
            stride_field(),
            Field::choice(
                "padding",
                "Zeros around the image: so that stride 1 keeps the size (same) or none (valid).",
                &["same", "valid"],
                "same",
            ),
            Field::integer(
                "groups",
                "Independent groups of channels.",
                1.0,
                4096.0,
                1.0,
            ),
            norm_field("batch"),
            activation_field("relu"),
        ]
    },
    body: Body::Block(expand),
};

fn expand(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let mut parts = Parts::new(id, input, values)?;
    let mut fields = Map::new();
    for name in [
        "out_channels",
        "kernel",
        "kernel_width",
        "stride",
        "padding",
        "groups",
    ] {
        fields.insert(name.to_owned(), values.json(name)?);
    }
    parts.conv_norm_act("", Value::Object(fields));
    Ok(parts.finish())
}
