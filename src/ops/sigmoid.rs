//! The logistic sigmoid: gates (squeeze-and-excitation, Hu et al. 2018) and images kept in 0..1.

use crate::error::Result;
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::Stage;
use crate::tensor::{DType, Spec};

use super::affine::affine;
use super::mul::mul;
use super::testing::{nan, wave};

/// `y = 1 / (1 + exp(-x))`.
#[derive(Debug, Clone, Copy)]
struct Sigmoid;

/// The logistic sigmoid of each element of `x`.
///
/// # Errors
/// When `x` is not of floats.
pub fn sigmoid(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    graph.push(Sigmoid, &[x])
}

impl Op for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("sigmoid", inputs)?;
        expect_dtype("sigmoid", x, DType::F32)?;
        Ok(x.clone())
    }

    /// `dx = dy y (1 - y)`.
    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let rest = affine(b.graph, b.output, -1.0, 1.0)?;
        let slope = mul(b.graph, b.output, rest)?;
        Ok(vec![Some(mul(b.graph, b.dy, slope)?)])
    }

    fn stage(&self, _: usize, _: &[Spec]) -> Option<Stage> {
        Some(Stage::unary(SHADER, Vec::new(), |v| {
            1.0 / (1.0 + (-v).exp())
        }))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/sigmoid.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "sigmoid",
    doc: "The logistic sigmoid, which maps to 0..1.",
    shaders: &[("sigmoid", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| sigmoid(g, x[0]);
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new("not a number", vec![nan([6])], build).forward_only(),
        ]
    },
};
