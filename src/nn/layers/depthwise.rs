//! Convolutions that do not mix channels: depthwise, and separable, which mixes them afterwards by a 1x1
//! convolution (Chollet 2017, "Xception"; Howard et al. 2017, "`MobileNets`").

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::graph::ValueId;

use super::super::scope::Scope;
use super::super::spec::NodeSpec;
use super::conv2d::{Window, bias_field, convolve, window_fields};
use super::{Body, LayerKind, init_field};

pub(super) const DEPTHWISE: LayerKind = LayerKind {
    id: "depthwise_conv2d",
    doc: "Convolution of each map with filters of its own (Howard et al. 2017, equation 3).",
    fields: || {
        let doc = "Filters for each map.";
        let mut fields = vec![Field::integer("multiplier", doc, 1.0, 64.0, 1.0)];
        fields.extend(window_fields());
        fields.extend([bias_field(), init_field("he_normal")]);
        fields
    },
    body: Body::Layer(depthwise),
};

pub(super) const SEPARABLE: LayerKind = LayerKind {
    id: "separable_conv2d",
    doc: "A depthwise convolution without bias, then a 1x1 convolution across the maps (Chollet 2017).",
    fields: || {
        let mut fields = vec![
            Field::integer("out_channels", "Maps of the output.", 1.0, 4096.0, 16.0),
            Field::integer("multiplier", "Filters for each map.", 1.0, 64.0, 1.0),
        ];
        fields.extend(window_fields());
        fields.extend([bias_field(), init_field("he_normal")]);
        fields
    },
    body: Body::Block(separable),
};

fn depthwise(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (_, [.., channels]) = scope.image()?;
    let window = Window::of(scope.values)?;
    let filters = channels * scope.values.integer("multiplier")?;
    convolve(scope, &window, filters, channels, None)
}

fn separable(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let mut first = fields!({ "bias": false });
    for name in window_fields().iter().map(|field| field.name.as_str()) {
        first[name] = values.json(name)?;
    }
    for name in ["multiplier", "init"] {
        first[name] = values.json(name)?;
    }
    let mut second = fields!({ "kernel": 1 });
    for name in ["out_channels", "bias", "init"] {
        second[name] = values.json(name)?;
    }
    let depthwise = format!("{id}_depthwise");
    Ok(vec![
        NodeSpec::new(&depthwise, "depthwise_conv2d", first).from(&[input]),
        NodeSpec::new(id, "conv2d", second),
    ])
}
