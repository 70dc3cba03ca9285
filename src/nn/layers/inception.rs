//! The Inception module (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, Fig. 2b): 1x1, 3x3
//! and 5x5 convolutions and a pooling side by side, the larger ones behind 1x1 reductions; and the one of
//! the batch-norm paper (Ioffe & Szegedy 2015, Fig. 5) with two 3x3 in place of the 5x5.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;
use super::parts::{Parts, activation_field, norm_field, stride_field};
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "inception",
    doc: "1x1, 3x3 and larger convolutions and a pooling side by side (Szegedy et al. 2015).",
    fields,
    body: Body::Block(expand),
};

fn fields() -> Vec<Field> {
    let maps = |name, doc, default| Field::integer(name, doc, 0.0, 4096.0, default);
    vec![
        maps("c1", "Maps of the 1x1 branch; 0: no such branch.", 4.0),
        maps("reduce3", "Maps of the reduction before the 3x3.", 4.0),
        maps("c3", "Maps of the 3x3.", 4.0),
        maps(
            "reduce5",
            "Maps of the reduction before the third branch.",
            2.0,
        ),
        maps("c5", "Maps of the third branch.", 4.0),
        Field::choice(
            "third",
            "The third branch: a 5x5 (the paper), one 3x3 (as in torchvision), or two 3x3 (with batch norm).",
            &["5x5", "3x3", "3x3 twice"],
            "5x5",
        ),
        Field::choice(
            "pool",
            "What the pooling takes of each 3x3.",
            &["max", "avg"],
            "max",
        ),
        maps(
            "pool_proj",
            "Maps of the 1x1 behind the pooling; 0: none.",
            4.0,
        ),
        stride_field(),
        norm_field("batch"),
        activation_field("relu"),
    ]
}

fn expand(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let mut parts = Parts::new(id, input, values)?;
    let [c1, reduce3, c3, reduce5, c5, projection, stride] = [
        "c1",
        "reduce3",
        "c3",
        "reduce5",
        "c5",
        "pool_proj",
        "stride",
    ]
    .map(|name| values.integer(name));
    let stride = stride?;
    let conv = |maps: usize, kernel: usize, stride: usize| fields!({ "out_channels": maps, "kernel": kernel, "stride": stride });
    let mut ends = Vec::new();
    let c1 = c1?;
    if c1 > 0 {
        parts.conv_norm_act("_1x1", conv(c1, 1, stride));
        ends.push(parts.last());
    }
    parts.go_on_from(input);
    parts.conv_norm_act("_3x3_reduce", conv(reduce3?, 1, 1));
    parts.conv_norm_act("_3x3", conv(c3?, 3, stride));
    ends.push(parts.last());

    parts.go_on_from(input);
    let c5 = c5?;
    parts.conv_norm_act("_5x5_reduce", conv(reduce5?, 1, 1));
    match values.choice("third")?.as_str() {
        "3x3 twice" => {
            parts.conv_norm_act("_double1", conv(c5, 3, 1));
            parts.conv_norm_act("_double2", conv(c5, 3, stride));
        }
        "3x3" => parts.conv_norm_act("_5x5", conv(c5, 3, stride)),
        _ => parts.conv_norm_act("_5x5", conv(c5, 5, stride)),
    }
    ends.push(parts.last());

    parts.go_on_from(input);
    let pool = format!("{}_pool2d", values.choice("pool")?);
    let fields = fields!({ "size": 3, "stride": stride, "padding": 1 });
    parts.add("pool", &pool, fields);
    let projection = projection?;
    if projection > 0 {
        parts.conv_norm_act("_pool_proj", conv(projection, 1, 1));
    }
    ends.push(parts.last());
    let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
    parts.join("concat", "concat", &ends, fields!({}));
    Ok(parts.finish())
}
