//! Convolutions over another number of axes by the code of two: one axis is an image of one row, and three are
//! windows over neighboring slices of an image whose slices lie in its channels.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops;

use super::super::boundary::Boundary;
use super::super::init::{Init, Scheme};
use super::super::scope::{Declaration, Scope, check_size};
use super::conv2d::{Window, around, bias_field, biased, convolve};
use super::{Body, LayerKind, init_field};

pub(super) const ONE: LayerKind = LayerKind {
    id: "conv1d",
    doc: "Convolution along the columns of a single row.",
    fields: || {
        let whole = Field::integer;
        vec![
            whole("out_channels", "Number of filters.", 1.0, 4096.0, 16.0),
            whole("kernel", "Length of the filters.", 1.0, 255.0, 3.0),
            whole("stride", "Step between outputs.", 1.0, 16.0, 1.0),
            padding_field(),
            whole(
                "dilation",
                "Step between what a filter sees.",
                1.0,
                64.0,
                1.0,
            ),
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
    body: Body::Layer(one),
};

pub(super) const THREE: LayerKind = LayerKind {
    id: "conv3d",
    doc: "Convolution over slices, rows and columns: the input's channels are slices, one after another, and so \
          are the output's (Ji et al. 2013, \"3D Convolutional Neural Networks\", equation 2).",
    fields: || {
        let whole = Field::integer;
        vec![
            whole("out_channels", "Number of filters.", 1.0, 4096.0, 8.0),
            whole(
                "depth",
                "Slices; they divide the channels.",
                1.0,
                256.0,
                4.0,
            ),
            whole("kernel_depth", "Slices a filter sees.", 1.0, 31.0, 3.0),
            whole("kernel", "Height and width of the filters.", 1.0, 31.0, 3.0),
            whole("stride", "Step down and across.", 1.0, 16.0, 1.0),
            padding_field(),
            bias_field(),
            init_field("he_normal"),
        ]
    },
    body: Body::Layer(three),
};

fn padding_field() -> Field {
    let doc = "Zeros around: none (valid), so that stride 1 keeps the size (same), or so that every overlap \
               counts (full).";
    Field::choice("padding", doc, &["valid", "same", "full"], "valid")
}

fn one(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (_, [_, rows, ..]) = scope.image()?;
    if rows != 1 {
        return Err(scope.wrong("a single row", format!("{rows} rows")));
    }
    let values = scope.values;
    let (kernel, dilation) = (values.integer("kernel")?, values.integer("dilation")?);
    let extent = (kernel - 1) * dilation + 1;
    let window = Window {
        kernel: [1, kernel],
        stride: [1, values.integer("stride")?],
        padding: [[0; 2], around(&values.choice("padding")?, extent)],
        dilation: [1, dilation],
    };
    let (filters, groups) = (values.integer("out_channels")?, values.integer("groups")?);
    convolve(scope, &window, filters, groups, None)
}

fn three(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (mut x, [_, h, w, channels]) = scope.image()?;
    let values = scope.values;
    let (filters, depth) = (values.integer("out_channels")?, values.integer("depth")?);
    let (taps, side) = (values.integer("kernel_depth")?, values.integer("kernel")?);
    let padding = values.choice("padding")?;
    let [before, after] = around(&padding, taps);
    if !channels.is_multiple_of(depth) {
        let expected = format!("channels divisible into {depth} slices");
        return Err(scope.wrong(expected, channels.to_string()));
    }
    if depth + before + after < taps {
        let expected = format!("at least {taps} slices with padding");
        return Err(scope.wrong(expected, depth.to_string()));
    }
    let window = Window {
        kernel: [side; 2],
        stride: [values.integer("stride")?; 2],
        padding: [around(&padding, side); 2],
        dilation: [1; 2],
    };
    window.place(scope, [h, w])?;
    let maps = channels / depth;
    let slices = depth + before + after;
    check_size(scope.id, &[h, w, slices * maps])?;
    if before + after > 0 {
        x = ops::pad_channels(scope.graph, x, before * maps, after * maps)?;
    }
    // The channels of neighboring slices are neighbors, so a window over slices is a run of channels.
    let init = Init::Random {
        scheme: Scheme::named(&scope.values.choice("init")?)?,
        fan_in: side * side * taps * maps,
        fan_out: side * side * filters,
    };
    let weight = Declaration::new("weight", [side, side, taps * maps, filters], init);
    let weight = scope.declare(weight.outside(Boundary::Slices(taps)))?;
    scope.is_kernel();
    let outputs = (0..=slices - taps)
        .map(|first| {
            let seen = ops::slice_channels(scope.graph, x, first * maps, taps * maps)?;
            let y = ops::conv2d(scope.graph, seen, weight, window.config(1))?;
            let pixels: usize = scope.graph.shape(y).dims()[1..3].iter().product();
            scope.count_macs((pixels * filters) as u64 * (side * side * taps * maps) as u64);
            Ok(y)
        })
        .collect::<Result<Vec<_>>>()?;
    let y = ops::concat_channels(scope.graph, &outputs)?;
    let [n, oh, ow, all] = scope.graph.shape(y).four(scope.id)?;
    let y = ops::reshape(scope.graph, y, [n, oh, ow * outputs.len(), filters])?;
    let y = biased(scope, y, filters)?;
    ops::reshape(scope.graph, y, [n, oh, ow, all])
}
