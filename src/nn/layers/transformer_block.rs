//! The transformer's encoder block over the pixels of maps: self-attention and two dense layers at every
//! pixel, each around which the input passes (Vaswani et al. 2017, Fig. 1), with layer norm before the
//! attention and, as in compact transformers (Hassani et al. 2021, the authors' code), on what passes between
//! the two halves.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;
use super::parts::{Parts, channels_field, stochastic_depth_field};
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "transformer_block",
    doc: "Self-attention over all pixels and two dense layers at each, with shortcuts (Vaswani et al. 2017).",
    fields: || {
        let dropout = "Probability that an attention weight becomes 0.";
        vec![
            channels_field("channels", "Maps of the input and the output.", 4.0),
            channels_field("hidden", "Outputs of the first dense layer.", 4.0),
            Field::integer("heads", "Heads of the attention.", 1.0, 64.0, 2.0),
            Field::number("dropout", dropout, 0.0, 0.99, 0.0),
            stochastic_depth_field(),
        ]
    },
    body: Body::Block(expand),
};

fn expand(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let mut parts = Parts::bare(id, input);
    parts.add("norm1", "layer_norm", fields!({}));
    let attention = fields!({ "heads": values.integer("heads")?, "bias": false,
        "dropout": values.number("dropout")? });
    parts.add("attention", "multi_head_attention", attention);
    parts.leave_out("depth1", values)?;
    let branch = parts.last();
    parts.join("add1", "add", &[input, &branch], fields!({}));
    parts.add("norm2", "layer_norm", fields!({}));
    let stream = parts.last();
    // A dense layer at every pixel is a 1x1 convolution.
    let dense =
        |units: usize| fields!({ "out_channels": units, "kernel": 1, "init": "glorot_uniform" });
    parts.add("fc1", "conv2d", dense(values.integer("hidden")?));
    parts.add("gelu", "gelu", fields!({}));
    parts.add("fc2", "conv2d", dense(values.integer("channels")?));
    parts.leave_out("depth2", values)?;
    let branch = parts.last();
    parts.join("add2", "add", &[&stream, &branch], fields!({}));
    Ok(parts.finish())
}
