//! The locally connected layer: a convolution whose filters are not shared, one set for every output pixel (LeCun
//! 1989, "Generalization and network design strategies"; Taigman et al. 2014, "`DeepFace`"). Its
//! windows, side by side as channels, are multiplied as a grouped 1x1 convolution, a group per pixel.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops::{self, Conv2d, Pool2d};

use super::super::boundary::Boundary;
use super::super::init::{Init, Scheme};
use super::super::scope::{Declaration, Scope, check_size};
use super::conv2d::{around, bias_field};
use super::{Body, LayerKind, init_field};

pub(super) const KIND: LayerKind = LayerKind {
    id: "locally_connected2d",
    doc: "Convolution with unshared filters: every output pixel has its own, and its own biases (LeCun 1989).",
    fields: || {
        let whole = Field::integer;
        let padding =
            "Zeros around the image: none (valid), or so that stride 1 keeps the size (same).";
        vec![
            whole("out_channels", "Maps of the output.", 1.0, 4096.0, 16.0),
            whole("kernel", "Side of the filters.", 1.0, 31.0, 3.0),
            whole("stride", "Step between outputs, in pixels.", 1.0, 16.0, 1.0),
            Field::choice("padding", padding, &["valid", "same"], "valid"),
            bias_field(),
            init_field("he_normal"),
        ]
    },
    body: Body::Layer(build),
};

fn build(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [n, h, w, _]) = scope.image()?;
    let values = scope.values;
    let (co, kernel) = (values.integer("out_channels")?, values.integer("kernel")?);
    let stride = values.integer("stride")?;
    let padding = around(&values.choice("padding")?, kernel);
    let padded = h.min(w) + padding[0] + padding[1];
    if padded < kernel {
        let expected = format!("at least {kernel} pixels with padding");
        return Err(scope.wrong(expected, padded.to_string()));
    }
    let windows = Pool2d {
        size: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
    };
    scope.sees([kernel; 2], [stride; 2], [padding[0]; 2]);
    let patches = ops::unfold(scope.graph, x, windows)?;
    let [_, oh, ow, taps] = scope.graph.shape(patches).four(scope.id)?;
    check_size(scope.id, &[oh, ow, taps])?;
    let pixels = oh * ow;
    let init = Init::Random {
        scheme: Scheme::named(&values.choice("init")?)?,
        fan_in: taps,
        fan_out: kernel * kernel * co,
    };
    // [taps, pixels * filters] inside: the filters of a pixel lie side by side. Outside each of them is a row.
    let weight = Declaration::new("weight", [taps, pixels * co], init).outside(Boundary::Dense);
    let weight = scope.declare(weight)?;
    scope.count_macs((pixels * taps) as u64 * co as u64);
    let g = &mut *scope.graph;
    let patches = ops::reshape(g, patches, [n, 1, 1, pixels * taps])?;
    let filters = ops::reshape(g, weight, [1, 1, taps, pixels * co])?;
    let config = Conv2d {
        groups: pixels,
        ..Conv2d::default()
    };
    let mut y = ops::conv2d(g, patches, filters, config)?;
    if values.bool("bias")? {
        let bias = Declaration::new("bias", [pixels * co], Init::Constant(0.0));
        let bias = scope.declare(bias)?;
        y = ops::add(scope.graph, y, bias)?;
    }
    ops::reshape(scope.graph, y, [n, oh, ow, co])
}
