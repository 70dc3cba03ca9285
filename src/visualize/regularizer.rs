//! What keeps an optimized image plausible besides its parameterization: one file per regularizer, one
//! line in [`REGULARIZERS`]. A penalty is taken off the objective; a touch changes the pixels after each
//! step (Yosinski et al. 2015, section 3.2), for which the image must be optimized pixel by pixel.

mod blur;
mod l2;
mod small_contribution;
mod small_norm;
mod total_variation;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::graph::{Graph, ValueId};
use crate::ops;

use super::parameterization::Canvas;
use super::preset::Preset;

/// Pixels as a touch finds them after a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touched<'a> {
    /// What is drawn on.
    pub(super) canvas: &'a Canvas,
    /// The pixels' coefficients `[n, h, w, c]`, zero at the base image.
    pub(super) pixels: ValueId,
    /// The descending gradient that the step followed, `[n, h, w, c]`.
    pub(super) gradient: ValueId,
    /// Step counters `u32[4]`.
    pub(super) counters: ValueId,
}

/// A penalty for each image `[n]` from normalized images `[n, h, w, c]`; nothing where it is not asked for.
type Penalty = fn(&mut Graph, ValueId, &Values) -> Result<Option<ValueId>>;

/// The pixels afterwards.
type Touch = fn(&mut Graph, &Touched<'_>, &Values) -> Result<ValueId>;

/// A regularizer.
pub(super) struct Regularizer {
    /// Its settings.
    pub(super) fields: fn(&Preset) -> Vec<Field>,
    /// How it acts.
    pub(super) action: Action,
}

/// How a regularizer acts.
#[derive(Clone, Copy)]
pub(super) enum Action {
    /// On the objective.
    Penalty(Penalty),
    /// On the pixels, where the number of this name is above 0.
    Touch(&'static str, Touch),
}

/// Every regularizer, in the order in which they act.
pub(super) const REGULARIZERS: &[Regularizer] = &[
    l2::INFO,
    total_variation::INFO,
    blur::INFO,
    small_norm::INFO,
    small_contribution::INFO,
];

/// `weight` times the mean of the squares of `x` `[n, ..]` for each image: `[n]`.
fn mean_square(graph: &mut Graph, x: ValueId, weight: f32) -> Result<ValueId> {
    let [n, h, w, c] = graph.shape(x).four("regularizer")?;
    let size = h * w * c;
    let squares = ops::mul(graph, x, x)?;
    ops::sum(graph, squares, [n, size, 1], [n], weight / size as f32)
}

/// `pixels` without the `percent` of each image whose `worth` `[n, h, w]` is smallest.
fn without_smallest(
    graph: &mut Graph,
    pixels: ValueId,
    worth: ValueId,
    percent: f64,
) -> Result<ValueId> {
    let [n, h, w, c] = graph.shape(pixels).four("regularizer")?;
    let dropped = (percent / 100.0 * (h * w) as f64) as usize;
    let worth = ops::reshape(graph, worth, [n, h * w])?;
    let kept = ops::largest(graph, worth, dropped.min(h * w - 1))?;
    let kept = ops::broadcast(graph, kept, [n * h * w, c, 1], [n, h, w, c], 1.0)?;
    ops::mul(graph, pixels, kept)
}
