//! Larger maps: by repeating pixels, by interpolating between them, or by putting them back where a pooling
//! found its maxima.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops::{self, Pool2d};

use super::super::scope::{Scope, check_size};
use super::pool2d::{fields, window_of};
use super::{Body, LayerKind};

pub(super) const UPSAMPLE: LayerKind = LayerKind {
    id: "upsample2d",
    doc: "Maps enlarged by a whole factor; bilinear takes pixels as areas, as PyTorch with \
          align_corners=False.",
    fields: || {
        let mode = "Repeat each pixel, or interpolate between neighbors.";
        vec![
            Field::integer("factor", "Output pixels per input pixel.", 1.0, 16.0, 2.0),
            Field::choice("mode", mode, &["nearest", "bilinear"], "nearest"),
        ]
    },
    body: Body::Layer(upsample),
};

pub(super) const UNPOOL: LayerKind = LayerKind {
    id: "max_unpool2d",
    doc: "Puts each value where the maximum of its window was, 0 elsewhere: takes the maps to enlarge and the \
          maps that a max-pooling of the same fields pooled (Zeiler & Fergus 2014, section 2.1).",
    fields,
    body: Body::Layer(unpool),
};

fn upsample(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [_, h, w, c]) = scope.image()?;
    let factor = scope.values.integer("factor")?;
    check_size(scope.id, &[h * factor, w * factor, c])?;
    if scope.values.choice("mode")? == "bilinear" {
        scope.sees([2; 2], [1; 2], [1; 2]);
        return ops::upsample_bilinear2d(scope.graph, x, factor);
    }
    let config = Pool2d {
        size: [factor; 2],
        stride: [factor; 2],
        padding: [[0; 2]; 2],
    };
    // The transpose of averaging spreads a pixel's share; all shares together are the pixel.
    let shares = ops::avg_pool2d_gradient(scope.graph, x, config, [h * factor, w * factor])?;
    ops::affine(scope.graph, shares, (factor * factor) as f32, 0.0)
}

fn unpool(scope: &mut Scope<'_>) -> Result<ValueId> {
    let &[x, pooled] = scope.inputs else {
        let found = format!("{} inputs", scope.inputs.len());
        return Err(scope.wrong("maps and the maps that were pooled", found));
    };
    let &[_, h, w, _] = scope.graph.shape(pooled).dims() else {
        return Err(scope.wrong("feature maps that were pooled", "a vector"));
    };
    let config = window_of(scope, [h, w])?;
    // An output sees what the maps before the pooling see, and one of the pooled.
    scope.sees([1; 2], [1; 2], [0; 2]);
    let switches = ops::max_pool2d_switches(scope.graph, pooled, config)?;
    let (expected, found) = (scope.graph.shape(switches), scope.graph.shape(x));
    if expected != found {
        let expected = format!("maps {:?}, as pooled", &expected.dims()[1..]);
        return Err(scope.wrong(expected, format!("{:?}", &found.dims()[1..])));
    }
    ops::max_unpool2d(scope.graph, x, switches, config, [h, w])
}
