//! The depthwise separable convolution (Howard et al., "MobileNets", 2017, Fig. 3): a filter of its own
//! for each map, then a 1x1 convolution across them, each with normalization and nonlinearity. For 3x3
//! filters and 256 maps that is 67,840 weights instead of 589,824.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;
use super::parts::{Parts, activation_field, channels_field, norm_field, stride_field};
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "separable_block",
    doc: "A filter per map, then a 1x1 convolution across maps (Howard et al. 2017).",
    fields: || {
        vec![
            channels_field("out_channels", "Maps of the output.", 16.0),
            Field::integer("kernel", "Side of the filters.", 1.0, 31.0, 3.0),
            stride_field(),
            norm_field("batch"),
            activation_field("relu"),
        ]
    },
    body: Body::Block(expand),
};

fn expand(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let mut parts = Parts::new(id, input, values)?;
    let depthwise = fields!({
        "kernel": values.integer("kernel")?,
        "stride": values.integer("stride")?,
    });
    parts.depthwise_norm_act("_depthwise", depthwise);
    let fields = fields!({ "out_channels": values.integer("out_channels")?, "kernel": 1 });
    parts.conv_norm_act("_pointwise", fields);
    Ok(parts.finish())
}
