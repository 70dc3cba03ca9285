//! The subsampling layer of LeNet-5 (LeCun et al. 1998, section II.B): the four values of each 2x2
//! window are added, multiplied by a trained coefficient and shifted by a trained bias, one of each
//! per map. The squashing function that follows is its own layer.

use crate::error::Result;
use crate::graph::ValueId;
use crate::ops::{self, Pool2d};
use crate::tensor::Shape;

use super::super::boundary::Boundary;
use super::super::init::{Init, Scheme};
use super::super::scope::{Declaration, Scope};
use super::{Body, LayerKind, init_field};

pub(super) const KIND: LayerKind = LayerKind {
    id: "subsample",
    doc: "Sum of each 2x2 window, times a trained coefficient, plus a trained bias, per map (LeCun \
          et al. 1998).",
    fields: || vec![init_field("lenet")],
    body: Body::Layer(build),
};

fn build(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [_, h, w, c]) = scope.image()?;
    if h.min(w) < 2 {
        return Err(scope.wrong("at least 2 x 2 pixels", format!("{h} x {w}")));
    }
    let one_each = |name, init| Declaration {
        name,
        shape: Shape::from([c]),
        init,
        boundary: Boundary::Same,
        mask: None,
        statistic: false,
    };
    let coefficients = Init::Random {
        scheme: Scheme::named(&scope.values.choice("init")?)?,
        fan_in: 4,
        fan_out: 1,
    };
    let weight = scope.declare(one_each("weight", coefficients))?;
    let bias = scope.declare(one_each("bias", Init::Constant(0.0)))?;
    let config = Pool2d {
        size: [2; 2],
        stride: [2; 2],
        padding: [[0; 2]; 2],
    };
    scope.sees([2; 2], [2; 2], [0; 2]);
    scope.count_macs((c * (h / 2) * (w / 2)) as u64);
    let mean = ops::avg_pool2d(scope.graph, x, config)?;
    let sum = ops::affine(scope.graph, mean, 4.0, 0.0)?;
    let scaled = ops::mul(scope.graph, sum, weight)?;
    ops::add(scope.graph, scaled, bias)
}
