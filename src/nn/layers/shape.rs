//! From feature maps to a vector.

use crate::ops;

use super::{Body, LayerKind, no_fields};

pub(super) const FLATTEN: LayerKind = LayerKind {
    id: "flatten",
    doc: "All values of all maps as one vector, map by map.",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let (x, [n, h, w, c]) = scope.image()?;
        scope.sees([h, w], [h, w], [0, 0]);
        // The vector is in PyTorch's order (channel, row, column), so that no layer behind it and
        // no boundary needs to know that it was an image.
        if h * w == 1 || c == 1 {
            return ops::reshape(scope.graph, x, [n, h * w * c]);
        }
        ops::transpose(scope.graph, x, [n, h * w, c], [n, c * h * w])
    }),
};
