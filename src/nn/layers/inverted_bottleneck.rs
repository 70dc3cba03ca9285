//! The inverted bottleneck, or MBConv (Sandler et al., "MobileNetV2", CVPR 2018, Fig. 3; with
//! squeeze-and-excitation: Tan et al., "MnasNet", CVPR 2019): 1x1 convolution to more maps, a depthwise
//! one, and 1x1 back without a nonlinearity, with a shortcut where input and output are alike.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;
use super::parts::{
    Parts, activation_field, channels_field, norm_field, stochastic_depth_field, stride_field,
};
use super::squeeze_excite::gate;
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "inverted_bottleneck",
    doc: "1x1 convolution to more maps, a depthwise one, and 1x1 back: MBConv (Sandler et al. 2018).",
    fields: || {
        vec![
            channels_field("in_channels", "Maps of the input.", 4.0),
            channels_field("out_channels", "Maps of the output.", 4.0),
            Field::integer(
                "expansion",
                "How many times more maps inside.",
                1.0,
                16.0,
                6.0,
            ),
            Field::integer("kernel", "Side of the depthwise filters.", 1.0, 31.0, 3.0),
            stride_field(),
            Field::number(
                "se_ratio",
                "Width of a squeeze-and-excitation gate, as a share of the input's maps; 0: none.",
                0.0,
                1.0,
                0.0,
            ),
            stochastic_depth_field(),
            norm_field("batch"),
            activation_field("relu"),
        ]
    },
    body: Body::Block(expand),
};

fn expand(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let mut parts = Parts::new(id, input, values)?;
    let [c, out, expansion, stride] =
        ["in_channels", "out_channels", "expansion", "stride"].map(|name| values.integer(name));
    let (c, out, expansion, stride) = (c?, out?, expansion?, stride?);
    let inside = c * expansion;
    if expansion > 1 {
        parts.conv_norm_act("_expand", fields!({ "out_channels": inside, "kernel": 1 }));
    }
    let depthwise = fields!({
        "kernel": values.integer("kernel")?,
        "stride": stride,
    });
    parts.depthwise_norm_act("_depthwise", depthwise);
    let ratio = values.number("se_ratio")?;
    if ratio > 0.0 {
        gate(
            &mut parts,
            "se_",
            inside,
            ((c as f64 * ratio) as usize).max(1),
        );
    }
    parts.conv("project", fields!({ "out_channels": out, "kernel": 1 }));
    parts.norm("_project");
    if stride == 1 && c == out {
        parts.leave_out("depth", values)?;
        let last = parts.last();
        parts.join("add", "add", &[&last, input], fields!({}));
    }
    Ok(parts.finish())
}
