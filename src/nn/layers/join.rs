//! Layers with several inputs: sum and concatenation.

use crate::error::Result;
use crate::graph::ValueId;
use crate::ops;

use super::super::scope::Scope;
use super::{Body, LayerKind, no_fields};

pub(super) const ADD: LayerKind = LayerKind {
    id: "add",
    doc: "Sum of inputs of one shape: a residual connection (He et al. 2016).",
    fields: no_fields,
    body: Body::Layer(add),
};

pub(super) const CONCAT: LayerKind = LayerKind {
    id: "concat",
    doc: "The channels of all inputs, one after another.",
    fields: no_fields,
    body: Body::Layer(concat),
};

fn add(scope: &mut Scope<'_>) -> Result<ValueId> {
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
        total = ops::add(scope.graph, total, input)?;
    }
    Ok(total)
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
