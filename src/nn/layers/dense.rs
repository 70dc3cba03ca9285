//! The fully connected layer.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops;
use crate::tensor::Shape;

use super::super::boundary::Boundary;
use super::super::init::{Init, Scheme};
use super::super::scope::{Declaration, Scope};
use super::{Body, LayerKind, init_field};

pub(super) const KIND: LayerKind = LayerKind {
    id: "dense",
    doc: "Every output is a weighted sum of all inputs.",
    fields: || {
        vec![
            Field::integer("units", "Number of outputs.", 1.0, 65_536.0, 10.0),
            Field::bool("bias", "Whether each output adds a trained constant.", true),
            init_field("he_normal"),
        ]
    },
    body: Body::Layer(build),
};

fn build(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [_, inputs]) = scope.vector()?;
    let units = scope.values.integer("units")?;
    let weight = scope.declare(Declaration {
        name: "weight",
        shape: Shape::from([inputs, units]),
        init: Init::Random {
            scheme: Scheme::named(&scope.values.choice("init")?)?,
            fan_in: inputs,
            fan_out: units,
        },
        boundary: Boundary::Dense,
        mask: None,
        statistic: false,
    })?;
    scope.is_kernel();
    scope.count_macs(inputs as u64 * units as u64);
    let y = ops::matmul(scope.graph, x, weight, false, false)?;
    if !scope.values.bool("bias")? {
        return Ok(y);
    }
    let bias = scope.declare(Declaration {
        name: "bias",
        shape: Shape::from([units]),
        init: Init::Constant(0.0),
        boundary: Boundary::Same,
        mask: None,
        statistic: false,
    })?;
    ops::add(scope.graph, y, bias)
}
