//! Elementwise nonlinearities.

use crate::error::Result;
use crate::field::Field;
use crate::ops;

use super::super::init::Init;
use super::super::scope::{Declaration, Scope};
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

pub(super) const RELU6: LayerKind = LayerKind {
    id: "relu6",
    doc: "The rectifier with a ceiling, min(max(x, 0), 6) (Krizhevsky 2010; MobileNetV2).",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        ops::relu6(scope.graph, x)
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

pub(super) const PRELU: LayerKind = LayerKind {
    id: "prelu",
    doc: "x where it is positive, a learned slope per channel times x elsewhere (He et al. 2015).",
    fields: || {
        let doc = "Slope at the beginning.";
        vec![Field::number("init", doc, -1.0, 1.0, 0.25)]
    },
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        let channels = scope.graph.shape(x).last();
        let init = Init::Constant(scope.values.number("init")? as f32);
        let slopes = scope.declare(Declaration::new("weight", [channels], init))?;
        ops::prelu(scope.graph, x, slopes)
    }),
};

pub(super) const ELU: LayerKind = LayerKind {
    id: "elu",
    doc: "x where it is positive, alpha (exp(x) - 1) elsewhere (Clevert et al. 2016).",
    fields: || {
        let doc = "Minus the limit on the negative side.";
        vec![Field::number("alpha", doc, 0.0, 10.0, 1.0)]
    },
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        let alpha = scope.values.number("alpha")? as f32;
        ops::elu(scope.graph, x, alpha)
    }),
};

pub(super) const SELU: LayerKind = LayerKind {
    id: "selu",
    doc: "1.0507 elu(x) with alpha 1.6733, whose fixed point is mean 0 and variance 1 (Klambauer et al. \
          2017, equation 2).",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        // Klambauer et al. 2017, equation 14.
        let y = ops::elu(scope.graph, x, 1.673_263_2)?;
        ops::affine(scope.graph, y, 1.050_701, 0.0)
    }),
};

pub(super) const GELU: LayerKind = LayerKind {
    id: "gelu",
    doc: "x times the normal distribution function, x (1 + erf(x / sqrt 2)) / 2 (Hendrycks & Gimpel 2016).",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        ops::gelu(scope.graph, x)
    }),
};

pub(super) const SILU: LayerKind = LayerKind {
    id: "silu",
    doc: "x sigmoid(x), also called swish (Elfwing et al. 2018, Ramachandran et al. 2017).",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        ops::silu(scope.graph, x)
    }),
};

pub(super) const HARD_SWISH: LayerKind = LayerKind {
    id: "hard_swish",
    doc: "x min(max(x + 3, 0), 6) / 6: swish by straight lines (Howard et al. 2019).",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        ops::hard_swish(scope.graph, x)
    }),
};

pub(super) const SOFTMAX: LayerKind = LayerKind {
    id: "softmax",
    doc: "exp(x) over its sum along the channels: positive numbers that add up to 1 at every pixel.",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        let shape = scope.graph.shape(x).clone();
        let channels = shape.last();
        let rows = ops::reshape(scope.graph, x, [shape.elements() / channels, channels])?;
        let y = ops::softmax(scope.graph, rows)?;
        ops::reshape(scope.graph, y, shape)
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
