//! The convolution, in every form: strided, padded, dilated, grouped, depthwise, and with a
//! connection table that leaves some input maps out.

use crate::error::Result;
use crate::field::{Field, Values};
use crate::graph::ValueId;
use crate::ops::{self, Conv2d};

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
    let mut fields = vec![whole(
        "out_channels",
        "Number of filters.",
        1.0,
        4096.0,
        16.0,
    )];
    fields.extend(window_fields());
    fields.extend([
        whole(
            "groups",
            "Independent groups of channels.",
            1.0,
            4096.0,
            1.0,
        ),
        bias_field(),
        Field::choice(
            "connections",
            "Which input maps each filter sees.",
            &["all", "lenet-c3"],
            "all",
        ),
        init_field("he_normal"),
    ]);
    fields
}

/// Whether there is a bias.
pub(super) fn bias_field() -> Field {
    Field::bool("bias", "Whether each filter adds a trained constant.", true)
}

/// What [`Window::of`] reads.
pub(super) fn window_fields() -> Vec<Field> {
    let whole = Field::integer;
    let across = |name, doc| Field::integer(name, doc, 0.0, 31.0, 0.0);
    let pad = |name, doc| Field::integer(name, doc, 0.0, 64.0, 0.0);
    vec![
        whole("kernel", "Height of the filters.", 1.0, 31.0, 3.0),
        across("kernel_width", "Width of the filters; 0: as high."),
        whole("stride", "Step between outputs, in pixels.", 1.0, 16.0, 1.0),
        across("stride_width", "Step across; 0: as down."),
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
        across("dilation_width", "Step across; 0: as down."),
    ]
}

/// How the image is extended with zeros.
pub(super) fn padding_field() -> Field {
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
    Ok(match values.choice("padding")?.as_str() {
        "explicit" => [
            [values.integer("pad_top")?, values.integer("pad_bottom")?],
            [values.integer("pad_left")?, values.integer("pad_right")?],
        ],
        named => extent.map(|size| around(named, size)),
    })
}

/// Zeros before and after an axis, for filters of this extent: "same", "full" or none.
pub(super) fn around(padding: &str, size: usize) -> [usize; 2] {
    let total = size - 1;
    match padding {
        "same" => [total / 2, total - total / 2],
        "full" => [total; 2],
        _ => [0; 2],
    }
}

/// How filters move over an image; pairs are (vertical, horizontal).
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) padding: [[usize; 2]; 2],
    pub(super) dilation: [usize; 2],
}

impl Window {
    /// As the fields say.
    pub(super) fn of(values: &Values) -> Result<Self> {
        let pair = |down: &str, across: &str| {
            let down = values.integer(down)?;
            Ok(match values.integer(across)? {
                0 => [down; 2],
                across => [down, across],
            })
        };
        let mut window = Self {
            kernel: pair("kernel", "kernel_width")?,
            stride: pair("stride", "stride_width")?,
            padding: [[0; 2]; 2],
            dilation: pair("dilation", "dilation_width")?,
        };
        window.padding = padding(values, window.extent())?;
        Ok(window)
    }

    /// Pixels from a filter's first tap to its last.
    pub(super) fn extent(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.kernel[axis] - 1) * self.dilation[axis] + 1)
    }

    /// Refuses an image in which no window fits, and says what an output sees.
    pub(super) fn place(&self, scope: &mut Scope<'_>, image: [usize; 2]) -> Result<()> {
        let extent = self.extent();
        for axis in 0..2 {
            let padded = image[axis] + self.padding[axis].iter().sum::<usize>();
            if padded < extent[axis] {
                let expected = format!("at least {} pixels with padding", extent[axis]);
                return Err(scope.wrong(expected, padded.to_string()));
            }
        }
        let before = self.padding.map(|[before, _]| before);
        scope.sees(extent, self.stride, before);
        Ok(())
    }

    /// The op's settings.
    pub(super) fn config(&self, groups: usize) -> Conv2d {
        Conv2d {
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
            groups,
        }
    }
}

fn build(scope: &mut Scope<'_>) -> Result<ValueId> {
    let window = Window::of(scope.values)?;
    let co = scope.values.integer("out_channels")?;
    let groups = scope.values.integer("groups")?;
    let mask = match scope.values.choice("connections")?.as_str() {
        "lenet-c3" => {
            let (_, [.., ci]) = scope.image()?;
            Some(lenet_c3(
                scope,
                [window.kernel[0], window.kernel[1], ci / groups, co],
            )?)
        }
        _ => None,
    };
    convolve(scope, &window, co, groups, mask)
}

/// The convolution of the only input with `co` filters, a bias where the field says so.
pub(super) fn convolve(
    scope: &mut Scope<'_>,
    window: &Window,
    co: usize,
    groups: usize,
    mask: Option<Vec<f32>>,
) -> Result<ValueId> {
    let (x, [_, h, w, ci]) = scope.image()?;
    if !ci.is_multiple_of(groups) || !co.is_multiple_of(groups) {
        let expected = format!("channels divisible into {groups} groups");
        return Err(scope.wrong(expected, format!("{ci} in, {co} out")));
    }
    window.place(scope, [h, w])?;
    let [kh, kw] = window.kernel;
    let shape = [kh, kw, ci / groups, co];
    let weight = declare_weight(scope, "weight", shape, groups, mask)?;
    scope.is_kernel();
    let connections = scope.declared.last().map_or(0, connections);
    let y = ops::conv2d(scope.graph, x, weight, window.config(groups))?;
    let pixels: usize = scope.graph.shape(y).dims()[1..3].iter().product();
    scope.count_macs(pixels as u64 * connections);
    biased(scope, y, co)
}

/// `y` plus a trained constant per channel, if the field says so.
pub(super) fn biased(scope: &mut Scope<'_>, y: ValueId, channels: usize) -> Result<ValueId> {
    if !scope.values.bool("bias")? {
        return Ok(y);
    }
    let bias = Declaration::new("bias", [channels], Init::Constant(0.0));
    let bias = scope.declare(bias)?;
    ops::add(scope.graph, y, bias)
}

/// Multiply-adds per output pixel.
fn connections(weight: &Declaration) -> u64 {
    let connected = |mask: &Vec<f32>| mask.iter().filter(|&&m| m != 0.0).count();
    let all = weight.shape.elements();
    weight.mask.as_ref().map_or(all, connected) as u64
}

/// Filters `[kh, kw, ci / groups, co]` that begin as the field says.
pub(super) fn declare_weight(
    scope: &mut Scope<'_>,
    name: &'static str,
    [kh, kw, ci, co]: [usize; 4],
    groups: usize,
    mask: Option<Vec<f32>>,
) -> Result<ValueId> {
    let init = Init::Random {
        scheme: Scheme::named(&scope.values.choice("init")?)?,
        fan_in: kh * kw * ci,
        fan_out: kh * kw * co / groups,
    };
    let mut weight = Declaration::new(name, [kh, kw, ci, co], init).outside(Boundary::Convolution);
    weight.mask = mask;
    scope.declare(weight)
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
