//! Layers with several inputs: sum, product, concatenation, and a gate on each channel.

use crate::error::Result;
use crate::graph::{Graph, ValueId};
use crate::ops;

use super::super::scope::{Inner, Scope};
use super::{Body, LayerKind, no_fields};

pub(super) const ADD: LayerKind = LayerKind {
    id: "add",
    doc: "Sum of inputs of one shape: a residual connection (He et al. 2016).",
    fields: no_fields,
    body: Body::Layer(add),
};

pub(super) const MULTIPLY: LayerKind = LayerKind {
    id: "multiply",
    doc: "Product of inputs of one shape, element by element.",
    fields: no_fields,
    body: Body::Layer(multiply),
};

pub(super) const SCALE_CHANNELS: LayerKind = LayerKind {
    id: "scale_channels",
    doc: "Each map times one number: maps and a vector of as many gates, as in squeeze-and-excitation (Hu et \
          al. 2018, equation 4).",
    fields: no_fields,
    body: Body::Layer(scale_channels),
};

pub(super) const CONCAT: LayerKind = LayerKind {
    id: "concat",
    doc: "The channels of all inputs, one after another.",
    fields: no_fields,
    body: Body::Layer(concat),
};

fn add(scope: &mut Scope<'_>) -> Result<ValueId> {
    fold(scope, ops::add)
}

fn multiply(scope: &mut Scope<'_>) -> Result<ValueId> {
    fold(scope, ops::mul)
}

/// Combines inputs of one shape, one after another.
fn fold(
    scope: &mut Scope<'_>,
    combine: fn(&mut Graph, ValueId, ValueId) -> Result<ValueId>,
) -> Result<ValueId> {
    let first = several(scope)?;
    let mut total = first;
    for &input in &scope.inputs[1..] {
        let (expected, found) = (scope.graph.shape(first), scope.graph.shape(input));
        if expected != found {
            return Err(scope.wrong(
                format!("inputs of shape {:?}", &expected.dims()[1..]),
                format!("{:?}", &found.dims()[1..]),
            ));
        }
        total = combine(scope.graph, total, input)?;
    }
    Ok(total)
}

fn scale_channels(scope: &mut Scope<'_>) -> Result<ValueId> {
    let &[maps, gate] = scope.inputs else {
        let found = format!("{} inputs", scope.inputs.len());
        return Err(scope.wrong("maps and a vector of gates", found));
    };
    let (shape, gates) = (scope.graph.shape(maps), scope.graph.shape(gate));
    match (shape.dims(), gates.dims()) {
        (&[n, h, w, c], [_, gates]) if *gates == c => {
            scope.shows(Inner::Gates, gate);
            ops::mul_along(scope.graph, maps, gate, [n, h * w, c])
        }
        (maps, gates) => {
            let expected = "maps and a vector of one gate for each of them";
            Err(scope.wrong(expected, format!("{:?} and {:?}", &maps[1..], &gates[1..])))
        }
    }
}

fn concat(scope: &mut Scope<'_>) -> Result<ValueId> {
    let first = several(scope)?;
    for &input in &scope.inputs[1..] {
        let (expected, found) = (
            scope.graph.shape(first).dims(),
            scope.graph.shape(input).dims(),
        );
        let space = |dims: &[usize]| dims.split_last().map(|(_, space)| space.to_vec());
        if space(expected) != space(found) {
            return Err(scope.wrong(
                format!(
                    "inputs that differ from {:?} only in channels",
                    &expected[1..]
                ),
                format!("{:?}", &found[1..]),
            ));
        }
    }
    ops::concat_channels(scope.graph, scope.inputs)
}

/// The first of at least two inputs.
fn several(scope: &Scope<'_>) -> Result<ValueId> {
    match scope.inputs {
        [first, _, ..] => Ok(*first),
        _ => Err(scope.wrong("two inputs or more", scope.inputs.len().to_string())),
    }
}
