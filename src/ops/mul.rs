//! Elementwise product with a broadcast second operand: gates (squeeze-and-excitation), squares,
//! masks, and the chain rule of most activations.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::Stage;
use crate::tensor::{DType, Spec};

use super::add::{accepted_factors, broadcast_factors, unbroadcast};
use super::sum::sum;
use super::testing::{nan, wave};

/// `y = a * b`, where `b` is broadcast to `a` as in `add`, or as said.
#[derive(Debug, Clone, Copy)]
struct Mul {
    /// `a` as `[outer, reduce, inner]`, where `b` is `[outer, inner]`; `None`: as in `add`.
    factors: Option<[usize; 3]>,
}

/// Multiplies `a` by `b`; `b` may be broadcast along leading or middle axes of `a` (a scale `[c]` on
/// `[n, h, w, c]`, a gate `[n, c]` likewise).
///
/// # Errors
/// When `b` does not broadcast to `a`'s shape, or they are not floats.
pub fn mul(graph: &mut Graph, a: ValueId, b: ValueId) -> Result<ValueId> {
    graph.push(Mul { factors: None }, &[a, b])
}

/// Multiplies `a`, seen as `[outer, reduce, inner] = factors`, by `b`, seen as `[outer, inner]`: a gate `[n, c]`
/// on `[n, h, w, c]` whose width is that of the batch, which [`mul`] would misread.
///
/// # Errors
/// When `factors` do not multiply to the numbers of elements, or they are not floats.
pub fn mul_along(
    graph: &mut Graph,
    a: ValueId,
    b: ValueId,
    factors: [usize; 3],
) -> Result<ValueId> {
    let factors = Some(factors);
    graph.push(Mul { factors }, &[a, b])
}

impl Mul {
    /// The factors for inputs that `infer` has accepted.
    fn accepted(&self, inputs: &[Spec]) -> [usize; 3] {
        self.factors.unwrap_or_else(|| accepted_factors(inputs))
    }
}

impl Op for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [a, b] = expect_inputs("mul", inputs)?;
        expect_dtype("mul", a, DType::F32)?;
        expect_dtype("mul", b, DType::F32)?;
        let Some([outer, reduce, inner]) = self.factors else {
            broadcast_factors("mul", a, b)?;
            return Ok(a.clone());
        };
        let elements = [a.shape.elements(), b.shape.elements()];
        if elements != [outer * reduce * inner, outer * inner] || elements[1] == 0 {
            let expected = format!("operands of factors [{outer}, {reduce}, {inner}]");
            return Err(Error::mismatch("mul", expected, format!("{a} and {b}")));
        }
        Ok(a.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let (left, right) = (b.inputs[0], b.inputs[1]);
        let mut parts = vec![None, None];
        if b.wanted[0] {
            parts[0] = Some(b.graph.push(*self, &[b.dy, right])?);
        }
        if b.wanted[1] {
            let whole = mul(b.graph, b.dy, left)?;
            parts[1] = Some(match self.factors {
                None => unbroadcast(b.graph, whole, right)?,
                Some(factors) => {
                    let shape = b.graph.shape(right).clone();
                    sum(b.graph, whole, factors, shape, 1.0)?
                }
            });
        }
        Ok(parts)
    }

    fn stage(&self, primary: usize, inputs: &[Spec]) -> Option<Stage> {
        let factors = self.accepted(inputs);
        // The broadcast operand has no place for the whole output.
        (primary == 0 || inputs[0] == inputs[1] && self.factors.is_none())
            .then(|| Stage::binary(SHADER, Vec::new(), factors, |v, e| v * e))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/mul.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "mul",
    doc: "Product of two tensors, the second broadcast where it lacks axes.",
    shaders: &[("mul", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| mul(g, x[0], x[1]);
        let square = |g: &mut Graph, x: &[ValueId]| mul(g, x[0], x[0]);
        vec![
            Example::new(
                "same shape",
                vec![wave([2, 3], 0.3), wave([2, 3], 1.3)],
                build,
            ),
            Example::new(
                "scale",
                vec![wave([2, 2, 2, 3], 0.3), wave([3], 1.3)],
                build,
            ),
            Example::new("gate", vec![wave([2, 4, 3], 0.3), wave([2, 3], 1.3)], build),
            // As wide as the batch: read from the end, the gate would be one row of the maps.
            Example::new(
                "gate along",
                vec![wave([2, 3, 2, 4], 0.3), wave([2, 4], 1.3)],
                |g, x| mul_along(g, x[0], x[1], [2, 6, 4]),
            ),
            Example::new(
                "images along",
                vec![wave([3, 2, 2], 0.3), wave([3], 1.3)],
                |g, x| mul_along(g, x[0], x[1], [3, 4, 1]),
            ),
            Example::new("square", vec![wave([5], 0.3)], square),
            Example::new("one element", vec![wave([1], 0.3), wave([1], 1.3)], build),
            Example::new("not a number", vec![nan([3, 2]), wave([2], 0.3)], build).forward_only(),
        ]
    },
};
