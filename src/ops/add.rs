//! Elementwise sum with a broadcast second operand: bias addition, residual connections, and the
//! sum of gradients where a value is used more than once.

use crate::error::{Error, Result};
use crate::graph::{Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::Stage;
use crate::tensor::Spec;

use super::sum::sum;
use super::testing::{nan, wave};

/// `y = a + b`, where `b` has `a`'s shape, or is missing some axes of it in one run: see
/// [`broadcast_factors`].
#[derive(Debug, Clone, Copy)]
struct Add;

/// Adds `b` to `a`; `b` may be broadcast along leading or middle axes of `a` (a bias `[c]` to
/// `[n, h, w, c]`, a gate `[n, c]` likewise).
///
/// # Errors
/// When `b` does not broadcast to `a`'s shape.
pub fn add(graph: &mut Graph, a: ValueId, b: ValueId) -> Result<ValueId> {
    graph.push(Add, &[a, b])
}

/// Splits `a`'s shape into `[outer, reduce, inner]` so that `b` is `[outer, inner]`: the one form of
/// broadcasting in convscope. Where `b` fits in several ways, it has `a`'s last axes, as in `NumPy`: a
/// bias `[32]` on a batch of 32 images is one number per channel, not per image.
pub(super) fn broadcast_factors(place: &str, a: &Spec, b: &Spec) -> Result<[usize; 3]> {
    let (a_dims, b_dims) = (a.shape.dims(), b.shape.dims());
    let leading = a_dims
        .iter()
        .zip(b_dims)
        .take_while(|(x, y)| x == y)
        .count();
    let missing = a_dims.len().saturating_sub(b_dims.len());
    // The shortest common head that lets the rest of b match a's tail.
    let split = (0..=leading)
        .find(|&head| a_dims.len() >= b_dims.len() && a_dims[head + missing..] == b_dims[head..]);
    match split {
        Some(head) if a.dtype == b.dtype => Ok([
            a_dims[..head].iter().product(),
            a_dims[head..head + missing].iter().product(),
            a_dims[head + missing..].iter().product(),
        ]),
        _ => Err(Error::mismatch(
            place,
            format!("operands that broadcast to {a}"),
            b.to_string(),
        )),
    }
}

/// [`broadcast_factors`] of inputs that `infer` has accepted.
pub(super) fn accepted_factors(inputs: &[Spec]) -> [usize; 3] {
    let whole = [1, 1, inputs[0].shape.elements()];
    broadcast_factors("", &inputs[0], &inputs[1]).unwrap_or(whole)
}

/// The gradient of a broadcast operand: `dy` summed over the axes that `operand` lacks.
pub(super) fn unbroadcast(graph: &mut Graph, dy: ValueId, operand: ValueId) -> Result<ValueId> {
    let factors = broadcast_factors("add", graph.spec(dy), graph.spec(operand))?;
    if factors[1] == 1 && graph.spec(dy) == graph.spec(operand) {
        return Ok(dy);
    }
    let shape = graph.shape(operand).clone();
    sum(graph, dy, factors, shape, 1.0)
}

impl Op for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [a, b] = expect_inputs("add", inputs)?;
        broadcast_factors("add", a, b)?;
        Ok(a.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let db = if b.wanted[1] {
            Some(unbroadcast(b.graph, b.dy, b.inputs[1])?)
        } else {
            None
        };
        Ok(vec![Some(b.dy), db])
    }

    fn stage(&self, primary: usize, inputs: &[Spec]) -> Option<Stage> {
        let factors = accepted_factors(inputs);
        // The broadcast operand has no place for the whole output.
        (primary == 0 || inputs[0] == inputs[1])
            .then(|| Stage::binary(SHADER, Vec::new(), factors, |v, e| v + e))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/add.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "add",
    doc: "Sum of two tensors, the second broadcast where it lacks axes.",
    shaders: &[("add", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| add(g, x[0], x[1]);
        vec![
            Example::new(
                "same shape",
                vec![wave([2, 3], 0.3), wave([2, 3], 0.3)],
                build,
            ),
            Example::new("bias", vec![wave([2, 2, 2, 3], 0.3), wave([3], 0.3)], build),
            Example::new("gate", vec![wave([2, 4, 3], 0.3), wave([2, 3], 0.3)], build),
            Example::new("one element", vec![wave([1], 0.3), wave([1], 0.3)], build),
            Example::new("not a number", vec![nan([2, 2]), wave([2], 0.3)], build).forward_only(),
        ]
    },
};

#[cfg(test)]
mod tests {
    use super::broadcast_factors;
    use crate::tensor::{Shape, Spec};

    /// Gradient checks hold for any reading of the shapes; these rows say which one is meant.
    #[test]
    fn an_operand_that_fits_in_several_ways_has_the_last_axes() {
        type Row<'a> = (&'a [usize], &'a [usize], [usize; 3]);
        let rows: [Row<'_>; 7] = [
            (&[32, 8, 8, 32], &[32], [1, 2048, 32]),
            (&[10, 10], &[10], [1, 10, 10]),
            (&[10, 10, 84], &[10, 84], [1, 10, 840]),
            (&[2, 4, 4, 3], &[2, 3], [2, 16, 3]),
            (&[3, 2], &[3], [3, 2, 1]),
            (&[2, 3], &[2, 3], [1, 1, 6]),
            (&[1], &[1], [1, 1, 1]),
        ];
        for (a, b, expected) in rows {
            let spec = |dims: &[usize]| Spec::f32(Shape::new(dims.to_vec()));
            let found = broadcast_factors("add", &spec(a), &spec(b)).unwrap();
            assert_eq!(found, expected, "{b:?} on {a:?}");
        }
    }
}
