//! The gradient of a rectifier that lets nothing through where it is off, under each backward rule: the gate's
//! own, except where gradients are redirected, which is decided image by image.

use crate::error::Result;
use crate::graph::{BackwardRule, Graph, ValueId};

use super::max_pool2d::{Unpooled, unpooled};
use super::{add, affine, mul, mul_along, relu, sum};

/// The reciprocal of the squared gradient below which an image counts as one without.
const FAINT: f32 = 1e30;

/// `dy` `[n, ..]` through `gate` under `rule`, by the rectifier's output `y`. Under [`BackwardRule::Redirected`] this is the derivative, and
/// for each image of which that leaves nothing the redirected gradient.
///
/// # Errors
/// When `gate` refuses.
pub(super) fn gated(
    graph: &mut Graph,
    rule: BackwardRule,
    [dy, y]: [ValueId; 2],
    gate: impl Fn(&mut Graph, BackwardRule, [ValueId; 2]) -> Result<ValueId>,
) -> Result<ValueId> {
    if rule == BackwardRule::Gradient
        && let Some(Unpooled {
            dy: small,
            switches,
            maxima,
        }) = unpooled(graph, dy, y)
    {
        // The derivative is a factor at each pixel, and no pixel but the maxima has got anything: so it can be taken
        // of the few before they are spread.
        let small = gate(graph, rule, [small, maxima])?;
        return graph.again(dy, &[small, switches]);
    }
    if rule != BackwardRule::Redirected {
        return gate(graph, rule, [dy, y]);
    }
    let passed = gate(graph, BackwardRule::Gradient, [dy, y])?;
    let shape = graph.shape(dy).dims();
    let n = shape.first().map_or(1, |n| *n);
    let size = shape.iter().skip(1).product();
    let squares = mul(graph, passed, passed)?;
    let squares = sum(graph, squares, [n, size, 1], [n], 1.0)?;
    // 1 for an image of which nothing has passed, else 0.
    let none = affine(graph, squares, -FAINT, 1.0)?;
    let none = relu(graph, none)?;
    let redirected = gate(graph, rule, [dy, y])?;
    let redirected = mul_along(graph, redirected, none, [n, size, 1])?;
    add(graph, passed, redirected)
}
