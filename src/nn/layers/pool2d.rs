//! Pooling: the largest or the mean value of each window, and the mean of a whole map.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops::{self, Pool2d};

use super::super::scope::Scope;
use super::{Body, LayerKind, no_fields};

pub(super) const MAX: LayerKind = LayerKind {
    id: "max_pool2d",
    doc: "The largest value of each window.",
    fields,
    body: Body::Layer(|scope| {
        let (x, config) = window(scope)?;
        ops::max_pool2d(scope.graph, x, config)
    }),
};

pub(super) const AVERAGE: LayerKind = LayerKind {
    id: "avg_pool2d",
    doc: "The mean of each window; padding counts as zeros.",
    fields,
    body: Body::Layer(|scope| {
        let (x, config) = window(scope)?;
        ops::avg_pool2d(scope.graph, x, config)
    }),
};

pub(super) const GLOBAL: LayerKind = LayerKind {
    id: "global_avg_pool2d",
    doc: "The mean of each map, as a vector (Lin et al. 2014).",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let (x, [n, h, w, c]) = scope.image()?;
        scope.sees([h, w], [h, w], [0, 0]);
        let scale = 1.0 / (h * w) as f32;
        ops::sum(scope.graph, x, [n, h * w, c], [n, c], scale)
    }),
};

fn fields() -> Vec<Field> {
    vec![
        Field::integer("size", "Side of the windows.", 1.0, 64.0, 2.0),
        Field::integer(
            "stride",
            "Step between windows; 0: as large.",
            0.0,
            64.0,
            0.0,
        ),
        Field::integer("padding", "Pixels on each side.", 0.0, 32.0, 0.0),
        Field::bool(
            "ceil",
            "Whether a last window counts that reaches beyond the image (as in Caffe).",
            false,
        ),
    ]
}

fn window(scope: &mut Scope<'_>) -> Result<(ValueId, Pool2d)> {
    let (x, [_, h, w, _]) = scope.image()?;
    let size = scope.values.integer("size")?;
    let padding = scope.values.integer("padding")?;
    let stride = match scope.values.integer("stride")? {
        0 => size,
        stride => stride,
    };
    if h.min(w) + 2 * padding < size {
        let expected = format!("at least {size} pixels to pool over");
        return Err(scope.wrong(expected, format!("{h} x {w}")));
    }
    // A window that lay in the padding alone would have no largest value.
    if padding * 2 > size {
        let expected = format!("padding of at most half the window ({})", size / 2);
        return Err(scope.wrong(expected, padding.to_string()));
    }
    scope.sees([size; 2], [stride; 2], [padding; 2]);
    let ceil = scope.values.bool("ceil")?;
    // Pixels behind the image that complete a last window; it must begin on the image.
    let behind = |side: usize| {
        let steps = (side + 2 * padding - size).div_ceil(stride);
        let begins = steps * stride < side + padding;
        let reach = steps * stride + size - padding - side;
        if ceil && begins {
            reach.max(padding)
        } else {
            padding
        }
    };
    let config = Pool2d {
        size: [size; 2],
        stride: [stride; 2],
        padding: [[padding, behind(h)], [padding, behind(w)]],
    };
    Ok((x, config))
}
