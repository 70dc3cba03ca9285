//! Elementwise nonlinearities.

use crate::error::Result;
use crate::field::Field;
use crate::ops;

use super::super::scope::Scope;
use super::{Body, LayerKind, no_fields};
use crate::graph::ValueId;

pub(super) const TANH: LayerKind = LayerKind {
    id: "tanh",
    doc: "scale * tanh(slope * x); LeNet-5 has 1.7159 tanh(2x/3) (LeCun et al. 1998, appendix A).",
    fields: || {
        vec![
            Field::number("scale", "Largest output.", 0.01, 10.0, 1.0),
            Field::number("slope", "Factor on the input.", 0.01, 10.0, 1.0),
        ]
    },
    body: Body::Layer(tanh),
};

pub(super) const SIGMOID: LayerKind = LayerKind {
    id: "sigmoid",
    doc: "The logistic function 1 / (1 + exp(-x)).",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        ops::sigmoid(scope.graph, x)
    }),
};

pub(super) const RELU: LayerKind = LayerKind {
    id: "relu",
    doc: "The rectifier max(x, 0) (Nair & Hinton 2010).",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        ops::relu(scope.graph, x)
    }),
};

pub(super) const LEAKY_RELU: LayerKind = LayerKind {
    id: "leaky_relu",
    doc: "x where it is positive, slope * x elsewhere (Maas et al. 2013).",
    fields: || {
        let doc = "Slope on the negative side.";
        vec![Field::number("slope", doc, 0.0, 1.0, 0.01)]
    },
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        let slope = scope.values.number("slope")? as f32;
        ops::leaky_relu(scope.graph, x, slope)
    }),
};

fn tanh(scope: &mut Scope<'_>) -> Result<ValueId> {
    let scale = scope.values.number("scale")? as f32;
    let slope = scope.values.number("slope")? as f32;
    let mut x = scope.input()?;
    if slope != 1.0 {
        x = ops::affine(scope.graph, x, slope, 0.0)?;
    }
    let y = ops::tanh(scope.graph, x)?;
    if scale == 1.0 {
        return Ok(y);
    }
    ops::affine(scope.graph, y, scale, 0.0)
}
