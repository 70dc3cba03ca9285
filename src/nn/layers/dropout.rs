//! Layers that leave something out at random while the network learns, and are the identity when it answers:
//! single values (dropout), whole maps (spatial dropout), whole images of a residual branch
//! (stochastic depth). What is kept is divided by the probability of being kept, so that expectations are
//! the same in both modes. The choice is made on the device from step, seed and the layer's id.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops;

use super::super::scope::{Mode, Scope};
use super::{Body, LayerKind};

pub(super) const DROPOUT: LayerKind = LayerKind {
    id: "dropout",
    doc: "Sets values to 0 at random and divides the others by 1 - rate (Srivastava et al. 2014).",
    fields: || rate("Probability that a value becomes 0.", 0.5),
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        let elements = scope.graph.shape(x).elements();
        drop(scope, x, [1, 1, elements])
    }),
};

pub(super) const SPATIAL_DROPOUT: LayerKind = LayerKind {
    id: "spatial_dropout",
    doc: "Sets whole maps to 0 at random and divides the others by 1 - rate (Tompson et al. 2015).",
    fields: || rate("Probability that a map becomes 0.", 0.2),
    body: Body::Layer(|scope| {
        let (x, [n, h, w, c]) = scope.image()?;
        drop(scope, x, [n, h * w, c])
    }),
};

pub(super) const STOCHASTIC_DEPTH: LayerKind = LayerKind {
    id: "stochastic_depth",
    doc: "Sets whole images to 0 at random and divides the others by 1 - rate: at the end of a residual \
          branch, a network of random depth (Huang et al. 2016, who multiply by 1 - rate when answering).",
    fields: || rate("Probability that an image's branch becomes 0.", 0.2),
    body: Body::Layer(|scope| {
        let x = scope.input()?;
        let shape = scope.graph.shape(x);
        let (n, elements) = (shape.dims()[0], shape.elements());
        drop(scope, x, [n, elements / n, 1])
    }),
};

fn rate(doc: &str, default: f64) -> Vec<Field> {
    vec![Field::number("rate", doc, 0.0, 0.99, default)]
}

/// Multiplies `x`, seen as `[outer, reduce, inner]`, by a mask `[outer, inner]`.
fn drop(scope: &mut Scope<'_>, x: ValueId, factors: [usize; 3]) -> Result<ValueId> {
    let rate = scope.values.number("rate")?;
    if scope.mode == Mode::Eval || rate == 0.0 {
        return Ok(x);
    }
    let keep = (1.0 - rate) as f32;
    let (counters, stream) = (scope.counters()?, scope.stream());
    let [outer, _, inner] = factors;
    let mask = ops::bernoulli(scope.graph, counters, [outer, inner], keep, stream)?;
    ops::mul_along(scope.graph, x, mask, factors)
}
