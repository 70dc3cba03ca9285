//! Normalizations that need no batch: across neighboring channels (local response normalization of `AlexNet`), over
//! an image or its pixels (layer), over each map (instance), over groups of maps (group). They are the
//! same while learning and answering.

use crate::error::Result;
use crate::field::Field;
use crate::graph::{Graph, ValueId};
use crate::ops;
use crate::tensor::Shape;

use super::super::boundary::Boundary;
use super::super::init::Init;
use super::super::scope::{Declaration, Scope};
use super::{Body, LayerKind};

pub(super) const LOCAL_RESPONSE: LayerKind = LayerKind {
    id: "local_response_norm",
    doc: "x / (k + alpha * sum of x^2 over n neighboring channels)^beta (Krizhevsky et al. 2012, section \
          3.3); PyTorch's alpha is n times this one.",
    fields: || {
        let alpha = "Factor on the sum of squares, not divided by n.";
        vec![
            Field::integer("n", "Channels that are summed.", 1.0, 64.0, 5.0),
            Field::number("k", "Added to the sum.", 1e-3, 100.0, 2.0),
            Field::number("alpha", alpha, 0.0, 100.0, 1e-4),
            Field::number("beta", "Exponent of the divisor.", 0.0, 10.0, 0.75),
        ]
    },
    body: Body::Layer(local_response),
};

pub(super) const LAYER: LayerKind = LayerKind {
    id: "layer_norm",
    doc: "Normalizes each image over all of it, or each pixel over its channels, then scales and shifts (Ba et \
          al. 2016).",
    fields: || {
        let doc = "The channels of each pixel, one scale each, as in transformers; or the image, one scale \
                   for each of its values, as PyTorch's LayerNorm([c, h, w]).";
        let mut fields = vec![Field::choice(
            "over",
            doc,
            &["channels", "image"],
            "channels",
        )];
        fields.extend(epsilon());
        fields
    },
    body: Body::Layer(layer),
};

pub(super) const INSTANCE: LayerKind = LayerKind {
    id: "instance_norm2d",
    doc: "Normalizes each map of each image, then scales and shifts it (Ulyanov et al. 2016).",
    fields: epsilon,
    body: Body::Layer(|scope| {
        let (x, [n, _, _, c]) = scope.image()?;
        normalized(scope, x, n, c, Declared::per_channel(c))
    }),
};

pub(super) const GROUP: LayerKind = LayerKind {
    id: "group_norm",
    doc: "Normalizes groups of maps of each image, then scales and shifts each map (Wu & He 2018).",
    fields: || {
        let groups = "Groups into which the channels are cut; it must divide them.";
        let mut fields = vec![Field::integer("groups", groups, 1.0, 4096.0, 2.0)];
        fields.extend(epsilon());
        fields
    },
    body: Body::Layer(group),
};

fn epsilon() -> Vec<Field> {
    let doc = "Added to the variance.";
    vec![Field::number("epsilon", doc, 1e-8, 1.0, 1e-5)]
}

fn local_response(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, _) = scope.image()?;
    let n = scope.values.integer("n")?;
    let [k, alpha, beta] = ["k", "alpha", "beta"].map(|name| scope.values.number(name));
    let (k, alpha, beta) = (k? as f32, alpha? as f32, beta? as f32);
    response(scope.graph, x, n, k, alpha, beta)
}

/// `x / (k + alpha * sum of x^2 over n neighboring channels)^beta`.
pub(super) fn response(
    g: &mut Graph,
    x: ValueId,
    n: usize,
    k: f32,
    alpha: f32,
    beta: f32,
) -> Result<ValueId> {
    let squares = ops::mul(g, x, x)?;
    // An even window has one more before than after, as in PyTorch.
    let sums = ops::channel_window_sum(g, squares, n / 2, (n - 1) / 2)?;
    let divisor = ops::affine(g, sums, alpha, k)?;
    let factor = ops::power(g, divisor, -beta)?;
    ops::mul(g, x, factor)
}

fn layer(scope: &mut Scope<'_>) -> Result<ValueId> {
    let x = scope.input()?;
    let shape = scope.graph.shape(x).clone();
    let (n, c) = (shape.dims()[0], shape.last());
    let over_image = scope.values.choice("over")? == "image";
    match *shape.dims() {
        [_, h, w, c] if over_image => {
            let declared = Declared {
                shape: Shape::from([h, w, c]),
                boundary: Boundary::Maps,
            };
            normalized(scope, x, n, 1, declared)
        }
        _ => {
            let pixels = shape.elements() / c;
            normalized(scope, x, pixels, 1, Declared::per_channel(c))
        }
    }
}

fn group(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [n, _, _, c]) = scope.image()?;
    let groups = scope.values.integer("groups")?;
    if !c.is_multiple_of(groups) {
        let expected = format!("channels divisible into {groups} groups");
        return Err(scope.wrong(expected, c.to_string()));
    }
    normalized(scope, x, n, groups, Declared::per_channel(c))
}

/// The layout of scale and shift.
struct Declared {
    shape: Shape,
    boundary: Boundary,
}

impl Declared {
    fn per_channel(channels: usize) -> Self {
        Self {
            shape: Shape::from([channels]),
            boundary: Boundary::Same,
        }
    }
}

/// `weight * norm(x) + bias`.
fn normalized(
    scope: &mut Scope<'_>,
    x: ValueId,
    images: usize,
    groups: usize,
    Declared { shape, boundary }: Declared,
) -> Result<ValueId> {
    let epsilon = scope.values.number("epsilon")? as f32;
    let one = |name, value| {
        Declaration::new(name, shape.clone(), Init::Constant(value)).outside(boundary)
    };
    let weight = scope.declare(one("weight", 1.0))?;
    let bias = scope.declare(one("bias", 0.0))?;
    let y = ops::group_norm(scope.graph, x, images, groups, epsilon)?;
    let scaled = ops::mul(scope.graph, y, weight)?;
    ops::add(scope.graph, scaled, bias)
}
