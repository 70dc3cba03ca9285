//! The transposed convolution: the gradient of a convolution with respect to its input, used forward (Zeiler et
//! al. 2010; Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", chapter 4).

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops::{self, Conv2d};

use super::super::boundary::Boundary;
use super::super::init::{Init, Scheme};
use super::super::scope::{Declaration, Scope, check_size};
use super::conv2d::{bias_field, biased};
use super::{Body, LayerKind, init_field};

pub(super) const KIND: LayerKind = LayerKind {
    id: "conv_transpose2d",
    doc: "Transposed convolution: each input pixel adds a filter to the output; sides become (side - 1) stride \
          - 2 padding + dilation (kernel - 1) + output_padding + 1 (Zeiler et al. 2010).",
    fields: || {
        let whole = Field::integer;
        let more = "Rows and columns added below and right; less than the stride.";
        vec![
            whole("out_channels", "Maps of the output.", 1.0, 4096.0, 16.0),
            whole("kernel", "Side of the filters.", 1.0, 31.0, 2.0),
            whole("stride", "Output pixels per input pixel.", 1.0, 16.0, 2.0),
            whole("padding", "Pixels cut off on each side.", 0.0, 30.0, 0.0),
            whole("output_padding", more, 0.0, 15.0, 0.0),
            whole("dilation", "Step between the taps.", 1.0, 16.0, 1.0),
            whole(
                "groups",
                "Independent groups of channels.",
                1.0,
                4096.0,
                1.0,
            ),
            bias_field(),
            init_field("he_normal"),
        ]
    },
    body: Body::Layer(build),
};

fn build(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [_, h, w, ci]) = scope.image()?;
    let values = scope.values;
    let (co, kernel) = (values.integer("out_channels")?, values.integer("kernel")?);
    let (stride, padding) = (values.integer("stride")?, values.integer("padding")?);
    let (dilation, groups) = (values.integer("dilation")?, values.integer("groups")?);
    let more = values.integer("output_padding")?;
    if !ci.is_multiple_of(groups) || !co.is_multiple_of(groups) {
        let expected = format!("channels divisible into {groups} groups");
        return Err(scope.wrong(expected, format!("{ci} in, {co} out")));
    }
    if more >= stride {
        let expected = format!("output padding below the stride {stride}");
        return Err(scope.wrong(expected, more.to_string()));
    }
    let extent = (kernel - 1) * dilation + 1;
    let whole = [h, w].map(|side| (side - 1) * stride + extent + more);
    if whole[0].min(whole[1]) <= 2 * padding {
        let expected = format!("an output larger than {padding} pixels of padding on each side");
        return Err(scope.wrong(expected, format!("{} x {}", whole[0], whole[1])));
    }
    let output = whole.map(|side| side - 2 * padding);
    check_size(scope.id, &[output[0], output[1], co])?;
    let config = Conv2d {
        stride: [stride; 2],
        padding: [[padding; 2]; 2],
        dilation: [dilation; 2],
        groups,
    };
    let taps = kernel * kernel;
    let init = Init::Random {
        scheme: Scheme::named(&values.choice("init")?)?,
        // Of the taps every stride-th one down and across meets an input pixel.
        fan_in: (taps * (ci / groups) / (stride * stride)).max(1),
        fan_out: taps * co / groups,
    };
    // For the convolution whose transpose this is, ours are the outputs.
    let shape = [kernel, kernel, co / groups, ci];
    let weight = Declaration::new("weight", shape, init).outside(Boundary::Convolution);
    let weight = scope.declare(weight)?;
    scope.count_macs((h * w * taps) as u64 * (ci * co / groups) as u64);
    let reach = extent.div_ceil(stride);
    let before = (reach - 1).saturating_sub(padding / stride);
    scope.sees([reach; 2], [1; 2], [before; 2]);
    let y = ops::conv2d_input_gradient(scope.graph, x, weight, config, output)?;
    biased(scope, y, co)
}
