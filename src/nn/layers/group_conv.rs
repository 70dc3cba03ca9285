//! Group-equivariant convolution (Cohen & Welling 2016, "Group Equivariant Convolutional Networks"): one learned
//! filter is applied in all turns (p4) or all turns and reflections (p4m) of the square. Its turned
//! copies are gathered into an ordinary filter bank (section 7), so that an ordinary convolution does the rest.
//!
//! A map of the group is a block of channels per element: element `m * 4 + r` reflects (`m`) and then turns
//! by `r` quarters counterclockwise, and channel `element * maps + map` is its copy of a map. A turn of the
//! image by a quarter turns every map and moves the elements on by one.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops::{self, Pool2d};

use super::super::boundary::Boundary;
use super::super::init::{Init, Scheme};
use super::super::scope::{Declaration, Scope, check_constant};
use super::conv2d::{Window, around, bias_field};
use super::{Body, LayerKind, init_field};

pub(super) const LIFTING: LayerKind = LayerKind {
    id: "p4_lifting_conv2d",
    doc: "Convolution of an image with each filter in all its turns (p4) and reflections (p4m): a map for each \
          (Cohen & Welling 2016, equation 10).",
    fields,
    body: Body::Layer(|scope| build(scope, false)),
};

pub(super) const GROUP: LayerKind = LayerKind {
    id: "p4_conv2d",
    doc: "Convolution of maps of the group with each filter in all its turns (p4) and reflections (p4m), which \
          also move the maps it sees (Cohen & Welling 2016, equation 11).",
    fields,
    body: Body::Layer(|scope| build(scope, true)),
};

pub(super) const POOL: LayerKind = LayerKind {
    id: "group_pool",
    doc: "The largest or mean value over the elements of the group: what is left turns with the image and \
          nothing else (Cohen & Welling 2016, section 6.3).",
    fields: || {
        let mode = "Largest value or mean.";
        vec![
            group_field(),
            Field::choice("mode", mode, &["max", "mean"], "max"),
        ]
    },
    body: Body::Layer(pool),
};

pub(super) fn group_field() -> Field {
    let doc = "p4: four turns; p4m: four turns, reflected or not.";
    Field::choice("group", doc, &["p4", "p4m"], "p4")
}

fn fields() -> Vec<Field> {
    let whole = Field::integer;
    let maps = "Maps, each of which has a channel for every element of the group.";
    let padding = "Zeros around the image: none (valid), or, for odd filters, so that stride 1 keeps the \
                   size (same).";
    vec![
        whole("out_channels", maps, 1.0, 4096.0, 8.0),
        whole("kernel", "Side of the filters.", 1.0, 31.0, 3.0),
        whole("stride", "Step between outputs, in pixels.", 1.0, 16.0, 1.0),
        Field::choice("padding", padding, &["valid", "same"], "valid"),
        group_field(),
        bias_field(),
        init_field("he_normal"),
    ]
}

/// Elements of the chosen group.
pub(super) fn order(scope: &Scope<'_>) -> Result<usize> {
    let group = scope.values.choice("group")?;
    Ok(if group == "p4m" { 8 } else { 4 })
}

/// The element that is `a` after `b`.
fn product(a: usize, b: usize) -> usize {
    let ([m, r], [n, s]) = ([a / 4, a % 4], [b / 4, b % 4]);
    // A reflection runs through the turns before it backward.
    let turned = if m == 0 { r + s } else { r + 4 - s };
    (m + n) % 2 * 4 + turned % 4
}

/// The element that undoes `a`.
fn inverse(a: usize) -> usize {
    if a < 4 { (4 - a) % 4 } else { a }
}

/// Where the pixel of a square of this side, transformed by `element`, comes from.
fn source(element: usize, [mut y, mut x]: [usize; 2], side: usize) -> [usize; 2] {
    for _ in 0..element % 4 {
        (y, x) = (x, side - 1 - y);
    }
    if element < 4 {
        [y, x]
    } else {
        [y, side - 1 - x]
    }
}

/// For each filter of the bank `[side, side, blocks * maps, order * filters]` the learned one, `[side, side,
/// blocks * maps, filters]`, that it is a copy of; `blocks` are the elements of the maps it sees, or 1.
fn table(side: usize, blocks: usize, maps: usize, order: usize, filters: usize) -> Vec<u32> {
    let mut table = Vec::with_capacity(side * side * blocks * maps * order * filters);
    let pixels = (0..side).flat_map(|y| (0..side).map(move |x| [y, x]));
    for pixel in pixels {
        for block in 0..blocks {
            for map in 0..maps {
                for element in 0..order {
                    let [y, x] = source(element, pixel, side);
                    let block = match blocks {
                        1 => 0,
                        _ => product(inverse(element), block),
                    };
                    let channel = (y * side + x) * blocks * maps + block * maps + map;
                    // Learned filters fit a buffer, so their indices fit 32 bits.
                    let first = (channel * filters) as u32;
                    table.extend(first..first + filters as u32);
                }
            }
        }
    }
    table
}

fn build(scope: &mut Scope<'_>, on_group: bool) -> Result<ValueId> {
    let (x, [_, h, w, channels]) = scope.image()?;
    let order = order(scope)?;
    let blocks = if on_group { order } else { 1 };
    let maps = maps_of(scope, channels, blocks)?;
    let values = scope.values;
    let (filters, side) = (values.integer("out_channels")?, values.integer("kernel")?);
    let padding = values.choice("padding")?;
    if padding == "same" && side % 2 == 0 {
        // The odd row would be on one side, and turned filters on another.
        return Err(scope.wrong(
            "filters of an odd side for the padding same",
            side.to_string(),
        ));
    }
    let window = Window {
        kernel: [side; 2],
        stride: [values.integer("stride")?; 2],
        padding: [around(&padding, side); 2],
        dilation: [1; 2],
    };
    window.place(scope, [h, w])?;
    let bank = [side, side, channels, order * filters];
    check_constant(scope.id, &bank)?;
    let init = Init::Random {
        scheme: Scheme::named(&values.choice("init")?)?,
        fan_in: side * side * channels,
        fan_out: side * side * order * filters,
    };
    let shape = [side, side, channels, filters];
    // As in the authors' code, which has the elements of the maps it sees in front of rows and columns.
    let outside = match blocks {
        1 => Boundary::Convolution,
        _ => Boundary::Slices(blocks),
    };
    let weight = Declaration::new("weight", shape, init).outside(outside);
    let weight = scope.declare(weight)?;
    scope.is_kernel();
    let table = table(side, blocks, maps, order, filters);
    let weights = ops::gather_sum(scope.graph, weight, &table, bank)?;
    let y = ops::conv2d(scope.graph, x, weights, window.config(1))?;
    let [n, oh, ow, _] = scope.graph.shape(y).four(scope.id)?;
    scope.count_macs((oh * ow) as u64 * bank.iter().map(|&extent| extent as u64).product::<u64>());
    if !values.bool("bias")? {
        return Ok(y);
    }
    // One for all elements of the group, which lie one after another.
    let bias = scope.declare(Declaration::new("bias", [filters], Init::Constant(0.0)))?;
    let y = ops::reshape(scope.graph, y, [n, oh, ow * order, filters])?;
    let y = ops::add(scope.graph, y, bias)?;
    ops::reshape(scope.graph, y, [n, oh, ow, order * filters])
}

/// How many maps `channels` are in `blocks`.
pub(super) fn maps_of(scope: &Scope<'_>, channels: usize, blocks: usize) -> Result<usize> {
    if channels.is_multiple_of(blocks) {
        return Ok(channels / blocks);
    }
    let expected = format!("maps of the group, {blocks} channels each");
    Err(scope.wrong(expected, format!("{channels} channels")))
}

fn pool(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [n, h, w, channels]) = scope.image()?;
    let order = order(scope)?;
    let maps = maps_of(scope, channels, order)?;
    let elements = ops::reshape(scope.graph, x, [n, h * w, order, maps])?;
    let config = Pool2d {
        size: [1, order],
        stride: [1, order],
        padding: [[0; 2]; 2],
    };
    let y = match scope.values.choice("mode")?.as_str() {
        "mean" => ops::avg_pool2d(scope.graph, elements, config)?,
        _ => ops::max_pool2d(scope.graph, elements, config)?,
    };
    ops::reshape(scope.graph, y, [n, h, w, maps])
}

#[cfg(test)]
mod tests {
    use super::{inverse, product, source};

    #[test]
    fn elements_are_a_group_that_acts_on_pixels() {
        let side = 3;
        for a in 0..8 {
            assert_eq!(product(a, inverse(a)), 0, "{a} and its inverse");
            for b in 0..8 {
                let ab = product(a, b);
                for pixel in [[0, 0], [0, 1], [1, 0], [2, 1]] {
                    // What `a` shows at a pixel of an image that `b` has transformed before.
                    let steps = source(b, source(a, pixel, side), side);
                    assert_eq!(source(ab, pixel, side), steps, "{a} after {b} at {pixel:?}");
                }
                for c in 0..8 {
                    assert_eq!(product(ab, c), product(a, product(b, c)), "{a} {b} {c}");
                }
            }
        }
    }
}
