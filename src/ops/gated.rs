//! The gradient of a rectifier that lets nothing through where it is off, under each backward rule: the gate's
//! own, except where gradients are redirected, which is decided image by image.

use crate::error::Result;
use crate::graph::{BackwardRule, Graph, ValueId};

use super::{add, affine, mul, mul_along, relu, sum};

/// The reciprocal of the squared gradient below which an image counts as one without.
const FAINT: f32 = 1e30;

/// `dy` `[n, ..]` through `gate` under `rule`. Under [`BackwardRule::Redirected`] this is the derivative, and
/// for each image of which that leaves nothing the redirected gradient.
///
/// # Errors
/// When `gate` refuses.
pub(super) fn gated(
    graph: &mut Graph,
    rule: BackwardRule,
    dy: ValueId,
    gate: impl Fn(&mut Graph, BackwardRule, ValueId) -> Result<ValueId>,
) -> Result<ValueId> {
    if rule != BackwardRule::Redirected {
        return gate(graph, rule, dy);
    }
    let passed = gate(graph, BackwardRule::Gradient, dy)?;
    let shape = graph.shape(dy).dims();
    let n = shape.first().map_or(1, |n| *n);
    let size = shape.iter().skip(1).product();
    let squares = mul(graph, passed, passed)?;
    let squares = sum(graph, squares, [n, size, 1], [n], 1.0)?;
    // 1 for an image of which nothing has passed, else 0.
    let none = affine(graph, squares, -FAINT, 1.0)?;
    let none = relu(graph, none)?;
    let redirected = gate(graph, rule, dy)?;
    let redirected = mul_along(graph, redirected, none, [n, size, 1])?;
    add(graph, passed, redirected)
}
