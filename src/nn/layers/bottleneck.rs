//! The bottleneck residual block (He et al. 2016, Fig. 5): 1x1 convolution to a quarter of the maps,
//! 3x3, and 1x1 back, beside a shortcut; v1 and v2 as in `residual`.

use crate::field::Field;

use super::parts::{
    activation_field, channels_field, norm_field, stochastic_depth_field, stride_field,
};
use super::residual::{expand, shortcut_field, version_field};
use super::squeeze_excite::reduction_field;
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "bottleneck",
    doc: "1x1, 3x3 and 1x1 convolutions beside a shortcut, the 3x3 on a quarter of the maps (He et al. \
          2016).",
    fields: || {
        vec![
            channels_field("out_channels", "Maps of the output.", 64.0),
            stride_field(),
            Field::choice(
                "strided",
                "Which convolution has the stride: the first 1x1 (the paper) or the 3x3 (called v1.5).",
                &["1x1", "3x3"],
                "1x1",
            ),
            version_field(),
            shortcut_field(),
            reduction_field(),
            stochastic_depth_field(),
            norm_field("batch"),
            activation_field("relu"),
        ]
    },
    body: Body::Block(|id, input, values| {
        let out = values.integer("out_channels")?;
        let stride = values.integer("stride")?;
        let narrow = (out / 4).max(1);
        let (first, second) = match values.choice("strided")?.as_str() {
            "3x3" => (1, stride),
            _ => (stride, 1),
        };
        let convolutions = [(narrow, 1, first), (narrow, 3, second), (out, 1, 1)];
        expand(id, input, values, &convolutions)
    }),
};
