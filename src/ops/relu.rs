//! The rectifier, and the gate through which its gradient passes under each backward rule.

use crate::error::Result;
use crate::graph::{
    Backward, BackwardRule, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype,
    expect_inputs,
};
use crate::program::Stage;
use crate::tensor::{DType, Spec};

use super::gated::gated;
use super::testing::{nan, wave};

/// `y = max(x, 0)` (Nair & Hinton 2010).
#[derive(Debug, Clone, Copy)]
struct Relu;

/// `dx = dy` where the rule lets it pass, 0 elsewhere, from dy and the rectifier's output: that is positive
/// where the input was, and unlike the input it is kept anyway.
#[derive(Debug, Clone, Copy)]
struct ReluGate(BackwardRule);

/// Rectifies `x`; NaN becomes 0, as in WGSL's `max`.
///
/// # Errors
/// When `x` is not of floats.
pub fn relu(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    graph.push(Relu, &[x])
}

impl Op for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("relu", inputs)?;
        expect_dtype("relu", x, DType::F32)?;
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let gate = |graph: &mut Graph, rule, both: [ValueId; 2]| graph.push(ReluGate(rule), &both);
        Ok(vec![Some(gated(b.graph, b.rule, [b.dy, b.output], gate)?)])
    }

    fn stage(&self, _: usize, _: &[Spec]) -> Option<Stage> {
        Some(Stage::unary(SHADER, Vec::new(), |v| {
            if v > 0.0 { v } else { 0.0 }
        }))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

impl Op for ReluGate {
    fn name(&self) -> &'static str {
        "relu_gate"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy, x] = expect_inputs("relu_gate", inputs)?;
        expect_dtype("relu_gate", dy, DType::F32)?;
        expect_dtype("relu_gate", x, DType::F32)?;
        Ok(dy.clone())
    }

    fn stage(&self, primary: usize, _: &[Spec]) -> Option<Stage> {
        let rule = self.0;
        let gate = move |dy, y| {
            let cut = rule.weakens_by_output(dy, y) || rule.weakens_by_gradient(dy);
            if cut { 0.0 } else { dy }
        };
        (primary == 0).then(|| Stage::elementwise(GATE_SHADER, rule.constants(), gate))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/relu.wgsl");
const GATE_SHADER: &str = crate::wgsl!("../../shaders/relu_gate.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "relu",
    doc: "The rectifier max(x, 0).",
    shaders: &[("relu", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| relu(g, x[0]);
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new("not a number", vec![nan([6])], build).forward_only(),
        ]
    },
};

pub(super) const GATE_INFO: OpInfo = OpInfo {
    name: "relu_gate",
    doc: "The gradient of a rectifier under one of the three backward rules.",
    shaders: &[("relu_gate", GATE_SHADER)],
    examples: || {
        let inputs = || vec![wave([3, 5], 0.1), wave([3, 5], 1.7)];
        vec![
            Example::new("gradient", inputs(), |g, x| {
                g.push(ReluGate(BackwardRule::Gradient), x)
            })
            .forward_only(),
            Example::new("deconvnet", inputs(), |g, x| {
                g.push(ReluGate(BackwardRule::Deconvnet), x)
            })
            .forward_only(),
            Example::new("guided", inputs(), |g, x| {
                g.push(ReluGate(BackwardRule::Guided), x)
            })
            .forward_only(),
            Example::new(
                "one element",
                vec![wave([1], 0.1), wave([1], 4.0)],
                |g, x| g.push(ReluGate(BackwardRule::Gradient), x),
            )
            .forward_only(),
            Example::new("not a number", vec![nan([6]), wave([6], 0.4)], |g, x| {
                g.push(ReluGate(BackwardRule::Gradient), x)
            })
            .forward_only(),
        ]
    },
};
