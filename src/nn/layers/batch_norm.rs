//! Batch normalization (Ioffe & Szegedy 2015), as PyTorch has it: biased variance in the
//! normalization, unbiased in the running statistics, momentum on the new value.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops;
use crate::tensor::Shape;

use super::super::boundary::Boundary;
use super::super::init::Init;
use super::super::scope::{Declaration, Mode, Scope};
use super::group_conv::{group_field, maps_of, order};
use super::{Body, LayerKind};

pub(super) const TWO: LayerKind = LayerKind {
    id: "batch_norm2d",
    doc: "Normalizes each map over batch and space, then scales and shifts it (Ioffe & Szegedy 2015).",
    fields: || {
        let doc = "Blocks of channels that share statistics, scale and shift: the elements of a group (4 for \
                   p4, 8 for p4m; Cohen & Welling 2016, section 6.3).";
        let mut fields = fields();
        fields.push(Field::integer("shared", doc, 1.0, 4096.0, 1.0));
        fields
    },
    body: Body::Layer(|scope| {
        let (x, [n, h, w, c]) = scope.image()?;
        let shared = scope.values.integer("shared")?;
        if shared == 1 {
            return build(scope, x);
        }
        if !c.is_multiple_of(shared) {
            let expected = format!("channels divisible into {shared} blocks");
            return Err(scope.wrong(expected, c.to_string()));
        }
        // Seen as pixels side by side, the blocks are channels of one map.
        let x = ops::reshape(scope.graph, x, [n, h, w * shared, c / shared])?;
        let y = build(scope, x)?;
        ops::reshape(scope.graph, y, [n, h, w, c])
    }),
};

pub(super) const ONE: LayerKind = LayerKind {
    id: "batch_norm1d",
    doc: "Normalizes each unit over the batch, then scales and shifts it (Ioffe & Szegedy 2015).",
    fields,
    body: Body::Layer(|scope| {
        let (x, _) = scope.vector()?;
        build(scope, x)
    }),
};

pub(super) const P4: LayerKind = LayerKind {
    id: "p4_batch_norm2d",
    doc: "Normalizes each map of the group over batch, space and the group's elements, so that turning the image \
          turns the result (Cohen & Welling 2016, section 6.1).",
    fields: || {
        let mut all = fields();
        all.push(group_field());
        all
    },
    body: Body::Layer(|scope| {
        let (x, [n, h, w, c]) = scope.image()?;
        let order = order(scope)?;
        let maps = maps_of(scope, c, order)?;
        // The elements of the group are blocks of channels: here they are further columns.
        let columns = ops::reshape(scope.graph, x, [n, h, w * order, maps])?;
        let y = build(scope, columns)?;
        ops::reshape(scope.graph, y, [n, h, w, c])
    }),
};

fn fields() -> Vec<Field> {
    let momentum = "Weight of the new batch in the running statistics.";
    let epsilon = "Added to the variance.";
    vec![
        Field::number("momentum", momentum, 0.0, 1.0, 0.1),
        Field::number("epsilon", epsilon, 1e-8, 1.0, 1e-5),
        Field::number("gamma", "Scale at the beginning.", 0.0, 10.0, 1.0),
    ]
}

fn build(scope: &mut Scope<'_>, x: ValueId) -> Result<ValueId> {
    let momentum = scope.values.number("momentum")? as f32;
    let epsilon = scope.values.number("epsilon")? as f32;
    let gamma = scope.values.number("gamma")? as f32;
    let channels = scope.graph.shape(x).last();
    let per_channel = |name, value, statistic| Declaration {
        name,
        shape: Shape::from([channels]),
        init: Init::Constant(value),
        boundary: Boundary::Same,
        mask: None,
        statistic,
    };
    let weight = scope.declare(per_channel("weight", gamma, false))?;
    let bias = scope.declare(per_channel("bias", 0.0, false))?;
    let running_mean = scope.declare(per_channel("running_mean", 0.0, true))?;
    let running_variance = scope.declare(per_channel("running_var", 1.0, true))?;
    let training = scope.mode == Mode::Train;
    let g = &mut *scope.graph;
    if !training {
        let statistics = [running_mean, running_variance];
        return ops::batch_norm(g, x, statistics, [weight, bias], epsilon);
    }
    let own = ops::moments(g, x)?;
    let y = ops::batch_norm_by_own(g, x, own, [weight, bias], epsilon)?;
    let count = (g.shape(x).elements() / channels) as f32;
    // Bessel's correction; a single value has no unbiased variance and keeps the biased one, 0.
    let unbiased = count / (count - 1.0).max(1.0);
    scope.averages(running_mean, own.mean, momentum, 1.0);
    scope.averages(running_variance, own.variance, momentum, unbiased);
    Ok(y)
}
