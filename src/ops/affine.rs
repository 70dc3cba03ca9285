//! Scaling and shifting by scalars that are known when the graph is built.

use crate::error::Result;
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::Stage;
use crate::tensor::{DType, Spec};

use super::testing::{nan, wave};

/// `y = scale * x + shift`.
#[derive(Debug, Clone, Copy)]
struct Affine {
    scale: f32,
    shift: f32,
}

/// `scale * x + shift`, element by element.
///
/// # Errors
/// When `x` is not of floats.
pub fn affine(graph: &mut Graph, x: ValueId, scale: f32, shift: f32) -> Result<ValueId> {
    graph.push(Affine { scale, shift }, &[x])
}

impl Op for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("affine", inputs)?;
        expect_dtype("affine", x, DType::F32)?;
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        Ok(vec![Some(affine(b.graph, b.dy, self.scale, 0.0)?)])
    }

    fn stage(&self, _: usize, _: &[Spec]) -> Option<Stage> {
        let Self { scale, shift } = *self;
        let constants = vec![
            ("SCALE_BITS", scale.to_bits() as usize),
            ("SHIFT_BITS", shift.to_bits() as usize),
        ];
        Some(Stage::unary(SHADER, constants, move |v| v * scale + shift))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/affine.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "affine",
    doc: "Scaling and shifting by two fixed numbers.",
    shaders: &[("affine", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| affine(g, x[0], 0.5, -0.25);
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new("not a number", vec![nan([6])], build).forward_only(),
        ]
    },
};
