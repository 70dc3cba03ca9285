//! Division by values that may be zero: relevance is shared out in proportion to contributions (Bach et
//! al. 2015), whose sum can vanish.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::Stage;
use crate::tensor::{DType, Spec, Tensor};

use super::affine::affine;
use super::mul::mul;
use super::testing::{nan, wave};

/// `y = a / (b + eps sign(b))`, where the sign of 0 is 1.
#[derive(Debug, Clone, Copy)]
struct Ratio {
    eps: f32,
}

/// `a / (b + eps sign(b))`, element by element, where the sign of 0 is 1: the stabilized quotient of Bach et
/// al. 2015, equation 58.
///
/// # Errors
/// When `a` and `b` are not floats of one shape.
pub fn ratio(graph: &mut Graph, a: ValueId, b: ValueId, eps: f32) -> Result<ValueId> {
    graph.push(Ratio { eps }, &[a, b])
}

impl Op for Ratio {
    fn name(&self) -> &'static str {
        "ratio"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [a, b] = expect_inputs("ratio", inputs)?;
        expect_dtype("ratio", a, DType::F32)?;
        if a != b {
            let expected = format!("a divisor of {a}");
            return Err(Error::mismatch("ratio", expected, b.to_string()));
        }
        Ok(a.clone())
    }

    /// `da = dy / b~`, `db = -da y` with the moved divisor `b~`.
    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let da = ratio(b.graph, b.dy, b.inputs[1], self.eps)?;
        let both = mul(b.graph, da, b.output)?;
        Ok(vec![Some(da), Some(affine(b.graph, both, -1.0, 0.0)?)])
    }

    fn stage(&self, primary: usize, _: &[Spec]) -> Option<Stage> {
        let eps = self.eps;
        let constants = vec![("EPS_BITS", eps.to_bits() as usize)];
        let divide = move |v: f32, e: f32| v / (e + if e < 0.0 { -eps } else { eps });
        (primary == 0).then(|| Stage::elementwise(SHADER, constants, divide))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/ratio.wgsl");

/// Divisors of both signs, away from zero, where the quotient jumps.
fn divisors(count: usize) -> Tensor {
    let sign = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
    Tensor::from_fn([count], |i| sign(i) * (1.5 + (i as f32).sin()))
}

pub(super) const INFO: OpInfo = OpInfo {
    name: "ratio",
    doc: "Quotient whose divisor is moved away from zero.",
    shaders: &[("ratio", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| ratio(g, x[0], x[1], 0.25);
        vec![
            Example::new("vector", vec![wave([7], 0.1), divisors(7)], build),
            Example::new("one element", vec![wave([1], 0.2), divisors(1)], build),
            Example::new("by not a number", vec![wave([6], 0.4), nan([6])], build).forward_only(),
            Example::new("not a number", vec![nan([6]), divisors(6)], build).forward_only(),
        ]
    },
};
