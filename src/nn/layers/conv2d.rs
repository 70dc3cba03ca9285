//! The convolution, in every form: strided, padded, dilated, grouped, depthwise, and with a
//! connection table that leaves some input maps out.

use crate::error::Result;
use crate::field::{Field, Values};
use crate::graph::ValueId;
use crate::ops::{self, Conv2d};
use crate::tensor::Shape;

use super::super::boundary::Boundary;
use super::super::init::{Init, Scheme};
use super::super::scope::{Declaration, Scope};
use super::{Body, LayerKind, init_field};

pub(super) const KIND: LayerKind = LayerKind {
    id: "conv2d",
    doc: "Convolution (cross-correlation) with learned filters.",
    fields,
    body: Body::Layer(build),
};

fn fields() -> Vec<Field> {
    let whole = Field::integer;
    let pad = |name, doc| Field::integer(name, doc, 0.0, 64.0, 0.0);
    vec![
        whole("out_channels", "Number of filters.", 1.0, 8192.0, 16.0),
        whole("kernel", "Height of the filters.", 1.0, 31.0, 3.0),
        whole(
            "kernel_width",
            "Width of the filters; 0: as high.",
            0.0,
            31.0,
            0.0,
        ),
        whole("stride", "Step between outputs, in pixels.", 1.0, 16.0, 1.0),
        padding_field(),
        pad("pad_top", "Rows of zeros above, with explicit padding."),
        pad("pad_bottom", "Rows of zeros below, with explicit padding."),
        pad(
            "pad_left",
            "Columns of zeros to the left, with explicit padding.",
        ),
        pad(
            "pad_right",
            "Columns of zeros to the right, with explicit padding.",
        ),
        whole(
            "dilation",
            "Step between the pixels a filter sees.",
            1.0,
            16.0,
            1.0,
        ),
        whole(
            "groups",
            "Independent groups of channels; 0: as many as input maps (depthwise).",
            0.0,
            8192.0,
            1.0,
        ),
        Field::bool("bias", "Whether each filter adds a trained constant.", true),
        Field::choice(
            "connections",
            "Which input maps each filter sees.",
            &["all", "lenet-c3"],
            "all",
        ),
        init_field("he_normal"),
    ]
}

/// How the image is extended with zeros.
fn padding_field() -> Field {
    let doc = "Zeros around the image: none (valid), so that stride 1 keeps the size (same; an odd \
               one goes below and right), so that every overlap counts (full), or as the pad fields \
               say (explicit).";
    Field::choice(
        "padding",
        doc,
        &["valid", "same", "full", "explicit"],
        "valid",
    )
}

/// `[[top, bottom], [left, right]]` for filters of this extent, dilation included.
fn padding(values: &Values, extent: [usize; 2]) -> Result<[[usize; 2]; 2]> {
    let around = |size: usize| {
        let total = size - 1;
        [total / 2, total - total / 2]
    };
    Ok(match values.choice("padding")?.as_str() {
        "same" => [around(extent[0]), around(extent[1])],
        "full" => [[extent[0] - 1; 2], [extent[1] - 1; 2]],
        "explicit" => [
            [values.integer("pad_top")?, values.integer("pad_bottom")?],
            [values.integer("pad_left")?, values.integer("pad_right")?],
        ],
        _ => [[0; 2]; 2],
    })
}

fn build(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [_, h, w, ci]) = scope.image()?;
    let values = scope.values;
    let co = values.integer("out_channels")?;
    let kh = values.integer("kernel")?;
    let kw = match values.integer("kernel_width")? {
        0 => kh,
        width => width,
    };
    let (stride, dilation) = (values.integer("stride")?, values.integer("dilation")?);
    let extent = [(kh - 1) * dilation + 1, (kw - 1) * dilation + 1];
    let config = Conv2d {
        stride: [stride; 2],
        padding: padding(values, extent)?,
        dilation: [dilation; 2],
        groups: match values.integer("groups")? {
            0 => ci,
            groups => groups,
        },
    };
    if !ci.is_multiple_of(config.groups) || !co.is_multiple_of(config.groups) {
        let expected = format!("channels divisible into {} groups", config.groups);
        return Err(scope.wrong(expected, format!("{ci} in, {co} out")));
    }
    for (axis, size) in [h, w].into_iter().enumerate() {
        let padded = size + config.padding[axis].iter().sum::<usize>();
        if padded < extent[axis] {
            let expected = format!("at least {} pixels with padding", extent[axis]);
            return Err(scope.wrong(expected, padded.to_string()));
        }
    }
    let shape = Shape::from([kh, kw, ci / config.groups, co]);
    let weight = declare_weight(scope, shape, config.groups)?;
    let connections = scope.declared.last().map_or(0, connections);
    let padding_before = [config.padding[0][0], config.padding[1][0]];
    scope.sees(extent, [stride; 2], padding_before);
    let mut y = ops::conv2d(scope.graph, x, weight, config)?;
    let pixels: usize = scope.graph.shape(y).dims()[1..3].iter().product();
    scope.count_macs(pixels as u64 * connections);
    if values.bool("bias")? {
        let bias = scope.declare(Declaration {
            name: "bias",
            shape: Shape::from([co]),
            init: Init::Constant(0.0),
            boundary: Boundary::Same,
            mask: None,
            statistic: false,
        })?;
        y = ops::add(scope.graph, y, bias)?;
    }
    Ok(y)
}

/// Multiply-adds per output pixel.
fn connections(weight: &Declaration) -> u64 {
    let connected = |mask: &Vec<f32>| mask.iter().filter(|&&m| m != 0.0).count();
    let all = weight.shape.elements();
    weight.mask.as_ref().map_or(all, connected) as u64
}

fn declare_weight(scope: &mut Scope<'_>, shape: Shape, groups: usize) -> Result<ValueId> {
    let [kh, kw, ci, co] = shape.four(scope.id)?;
    let mask = match scope.values.choice("connections")?.as_str() {
        "lenet-c3" => Some(lenet_c3(scope, [kh, kw, ci, co])?),
        _ => None,
    };
    let weight = scope.declare(Declaration {
        name: "weight",
        shape,
        init: Init::Random {
            scheme: Scheme::named(&scope.values.choice("init")?)?,
            fan_in: kh * kw * ci,
            fan_out: kh * kw * co / groups,
        },
        boundary: Boundary::Convolution,
        mask,
        statistic: false,
    })?;
    scope.is_kernel();
    Ok(weight)
}

/// LeCun et al. 1998, Table I: the maps of S2 that each map of C3 sees, as bits 0 to 5.
const LENET_C3: [u8; 16] = [
    0b000_111, 0b001_110, 0b011_100, 0b111_000, 0b110_001, 0b100_011, // three in a row
    0b001_111, 0b011_110, 0b111_100, 0b111_001, 0b110_011, 0b100_111, // four in a row
    0b011_011, 0b110_110, 0b101_101, // two and two
    0b111_111,
];

/// The table as a mask over HWIO weights.
fn lenet_c3(scope: &Scope<'_>, [kh, kw, ci, co]: [usize; 4]) -> Result<Vec<f32>> {
    if [ci, co] != [6, 16] {
        let found = format!("{ci} in, {co} out");
        return Err(scope.wrong("6 maps in and 16 out for the lenet-c3 table", found));
    }
    let bit = |i: usize, o: usize| f32::from(LENET_C3[o] >> i & 1);
    Ok((0..kh * kw * ci * co)
        .map(|index| bit(index / co % ci, index % co))
        .collect())
}
