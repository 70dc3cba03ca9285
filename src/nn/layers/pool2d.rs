//! Pooling: the largest or the mean value of each window, which may overlap (a stride below the size), and of a
//! whole map.

use crate::error::Result;
use crate::field::Field;
use crate::ops::{self, Pool2d};

use super::super::scope::Scope;
use super::{Body, LayerKind, no_fields};

pub(super) const MAX: LayerKind = LayerKind {
    id: "max_pool2d",
    doc: "The largest value of each window.",
    fields: || {
        let doc = "Whether a last window may reach beyond the image (PyTorch's ceil_mode), so that no pixel is \
                   left out.";
        let mut fields = fields();
        fields.push(Field::bool("ceil", doc, false));
        fields
    },
    body: Body::Layer(|scope| {
        let (x, [_, h, w, _]) = scope.image()?;
        let mut config = window_of(scope, [h, w])?;
        if scope.values.bool("ceil")? {
            for (axis, side) in [h, w].into_iter().enumerate() {
                config.padding[axis][1] = ceiled(&config, axis, side);
            }
        }
        ops::max_pool2d(scope.graph, x, config)
    }),
};

pub(super) const AVERAGE: LayerKind = LayerKind {
    id: "avg_pool2d",
    doc: "The mean of each window.",
    fields: || {
        let doc = "Whether padding counts as zeros, or not at all.";
        let mut fields = fields();
        fields.push(Field::bool("count_include_pad", doc, true));
        fields
    },
    body: Body::Layer(|scope| {
        let (x, [_, h, w, _]) = scope.image()?;
        let config = window_of(scope, [h, w])?;
        let y = ops::avg_pool2d(scope.graph, x, config)?;
        if scope.values.bool("count_include_pad")? || config.padding == [[0; 2]; 2] {
            return Ok(y);
        }
        let [_, oh, ow, c] = scope.graph.shape(y).four(scope.id)?;
        let shares: Vec<f32> = (0..oh * ow * c)
            .map(|i| share(&config, 0, i / c / ow, h) * share(&config, 1, i / c % ow, w))
            .collect();
        let shares = scope.graph.constant([oh, ow, c], &shares)?;
        ops::mul(scope.graph, y, shares)
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

pub(super) const GLOBAL_MAX: LayerKind = LayerKind {
    id: "global_max_pool2d",
    doc: "The largest value of each map, as a vector.",
    fields: no_fields,
    body: Body::Layer(|scope| {
        let (x, [n, h, w, c]) = scope.image()?;
        scope.sees([h, w], [h, w], [0, 0]);
        let y = ops::max_pool2d(scope.graph, x, Pool2d::whole([h, w]))?;
        ops::reshape(scope.graph, y, [n, c])
    }),
};

/// What [`window_of`] reads.
pub(super) fn fields() -> Vec<Field> {
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
    ]
}

/// The windows that the fields say, for maps of these sides.
pub(super) fn window_of(scope: &mut Scope<'_>, [h, w]: [usize; 2]) -> Result<Pool2d> {
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
    Ok(Pool2d {
        size: [size; 2],
        stride: [stride; 2],
        padding: [[padding; 2]; 2],
    })
}

/// How many pixels a window has for each that is not padding, along an axis of `side` pixels.
fn share(config: &Pool2d, axis: usize, window: usize, side: usize) -> f32 {
    let (first, size) = (window * config.stride[axis], config.size[axis]);
    let before = config.padding[axis][0];
    let end = (first + size).min(side + before);
    // The padding is at most half a window, so that every window has pixels.
    size as f32 / (end - first.max(before)) as f32
}

/// The padding behind an axis of `side` pixels with which a window begins on every stride-th pixel of it, or of
/// the padding before it.
fn ceiled(config: &Pool2d, axis: usize, side: usize) -> usize {
    let (size, stride) = (config.size[axis], config.stride[axis]);
    let [before, after] = config.padding[axis];
    let mut outputs = (side + before + after - size).div_ceil(stride) + 1;
    // A window that began behind the image would have no largest value.
    if (outputs - 1) * stride >= side + before {
        outputs -= 1;
    }
    let end = (outputs - 1) * stride + size;
    end.saturating_sub(side + before)
}

#[cfg(test)]
mod tests {
    use super::ceiled;
    use crate::ops::Pool2d;

    #[test]
    fn rounding_up_gives_as_many_windows_as_in_pytorch() {
        // Side, size, stride and padding, and the outputs of nn.MaxPool2d(ceil_mode=True).
        for (side, size, stride, padding, expected) in [
            (55, 3, 2, 0, 27),
            (112, 3, 2, 0, 56),
            (5, 2, 2, 0, 3),
            (6, 3, 2, 1, 4),
            (4, 2, 3, 1, 2),
            (7, 3, 3, 1, 3),
            (5, 1, 3, 0, 2),
        ] {
            let config = Pool2d {
                size: [size; 2],
                stride: [stride; 2],
                padding: [[padding; 2]; 2],
            };
            let after = ceiled(&config, 0, side);
            assert!(after < size, "{side} {size} {stride} {padding}: {after}");
            let outputs = (side + padding + after - size) / stride + 1;
            assert_eq!(outputs, expected, "{side} {size} {stride} {padding}");
        }
    }
}
