//! The hyperbolic tangent, the activation of LeNet-5 (1998).

use crate::error::Result;
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::Stage;
use crate::tensor::{DType, Spec};

use super::affine::affine;
use super::mul::mul;
use super::testing::{nan, wave};

/// `y = tanh(x)`.
#[derive(Debug, Clone, Copy)]
struct Tanh;

/// The hyperbolic tangent of each element of `x`.
///
/// # Errors
/// When `x` is not of floats.
pub fn tanh(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    graph.push(Tanh, &[x])
}

impl Op for Tanh {
    fn name(&self) -> &'static str {
        "tanh"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("tanh", inputs)?;
        expect_dtype("tanh", x, DType::F32)?;
        Ok(x.clone())
    }

    /// `dx = dy (1 - y^2)`.
    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let square = mul(b.graph, b.output, b.output)?;
        let slope = affine(b.graph, square, -1.0, 1.0)?;
        Ok(vec![Some(mul(b.graph, b.dy, slope)?)])
    }

    fn stage(&self, _: usize, _: &[Spec]) -> Option<Stage> {
        Some(Stage::unary(SHADER, Vec::new(), f32::tanh))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/tanh.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "tanh",
    doc: "The hyperbolic tangent.",
    shaders: &[("tanh", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| tanh(g, x[0]);
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new("not a number", vec![nan([6])], build).forward_only(),
        ]
    },
};
