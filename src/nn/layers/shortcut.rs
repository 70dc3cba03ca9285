//! The parameter-free shortcut of the CIFAR ResNets.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops::{self, Pool2d};

use super::super::scope::Scope;
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "shortcut",
    doc: "The identity with a stride and channels of zeros: option A of He et al. 2016, section 4.2.",
    fields: || {
        vec![
            Field::integer("out_channels", "Maps with the zeros.", 1.0, 4096.0, 16.0),
            Field::integer("stride", "Every how many-th pixel is kept.", 1.0, 16.0, 1.0),
        ]
    },
    body: Body::Layer(build),
};

fn build(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (mut x, [_, _, _, c]) = scope.image()?;
    let out = scope.values.integer("out_channels")?;
    let stride = scope.values.integer("stride")?;
    if out < c {
        return Err(scope.wrong(format!("at most {out} channels"), c.to_string()));
    }
    scope.sees([1; 2], [stride; 2], [0; 2]);
    if stride > 1 {
        // The mean of one pixel is the pixel.
        let config = Pool2d {
            size: [1; 2],
            stride: [stride; 2],
            padding: [[0; 2]; 2],
        };
        x = ops::avg_pool2d(scope.graph, x, config)?;
    }
    if out == c {
        return Ok(x);
    }
    let before = (out - c) / 2;
    ops::pad_channels(scope.graph, x, before, out - c - before)
}
