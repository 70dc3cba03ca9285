//! The leaky rectifier, and the gate through which its gradient passes under each backward rule:
//! where the plain rectifier's gate cuts to zero, this one weakens by the slope.

use crate::error::Result;
use crate::graph::{
    Backward, BackwardRule, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype,
    expect_inputs,
};
use crate::program::Stage;
use crate::tensor::{DType, Spec};

use super::testing::{nan, wave};

/// `y = x` where x is positive, `slope * x` elsewhere (Maas et al. 2013).
#[derive(Debug, Clone, Copy)]
struct LeakyRelu {
    slope: f32,
}

/// `dx = dy` where the rule lets it pass, `slope * dy` elsewhere, from dy and the output.
#[derive(Debug, Clone, Copy)]
struct LeakyReluGate {
    slope: f32,
    rule: BackwardRule,
}

/// Rectifies `x`, leaving `slope` of its negative part; NaN stays NaN.
///
/// # Errors
/// When `x` is not of floats.
pub fn leaky_relu(graph: &mut Graph, x: ValueId, slope: f32) -> Result<ValueId> {
    graph.push(LeakyRelu { slope }, &[x])
}

impl Op for LeakyRelu {
    fn name(&self) -> &'static str {
        "leaky_relu"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("leaky_relu", inputs)?;
        expect_dtype("leaky_relu", x, DType::F32)?;
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let gate = LeakyReluGate {
            slope: self.slope,
            rule: b.rule.of_leaky(),
        };
        Ok(vec![Some(b.graph.push(gate, &[b.dy, b.output])?)])
    }

    fn stage(&self, _: usize, _: &[Spec]) -> Option<Stage> {
        let slope = self.slope;
        let constants = vec![("SLOPE_BITS", slope.to_bits() as usize)];
        let leak = move |v: f32| v * if v <= 0.0 { slope } else { 1.0 };
        Some(Stage::unary(SHADER, constants, leak))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

impl Op for LeakyReluGate {
    fn name(&self) -> &'static str {
        "leaky_relu_gate"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy, x] = expect_inputs("leaky_relu_gate", inputs)?;
        expect_dtype("leaky_relu_gate", dy, DType::F32)?;
        expect_dtype("leaky_relu_gate", x, DType::F32)?;
        Ok(dy.clone())
    }

    fn stage(&self, primary: usize, _: &[Spec]) -> Option<Stage> {
        let (slope, rule) = (self.slope, self.rule);
        let mut constants = rule.constants();
        constants.push(("SLOPE_BITS", slope.to_bits() as usize));
        let gate = move |dy, y| {
            let weaken = |weakens| if weakens { slope } else { 1.0 };
            dy * weaken(rule.weakens_by_output(dy, y)) * weaken(rule.weakens_by_gradient(dy))
        };
        (primary == 0).then(|| Stage::elementwise(GATE_SHADER, constants, gate))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/leaky_relu.wgsl");
const GATE_SHADER: &str = crate::wgsl!("../../shaders/leaky_relu_gate.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "leaky_relu",
    doc: "The rectifier that leaves a fixed slope to negative inputs.",
    shaders: &[("leaky_relu", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| leaky_relu(g, x[0], 0.1);
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new("not a number", vec![nan([6])], build).forward_only(),
        ]
    },
};

/// The gate under one rule, for the examples.
fn gate(graph: &mut Graph, inputs: &[ValueId], rule: BackwardRule) -> Result<ValueId> {
    graph.push(LeakyReluGate { slope: 0.1, rule }, inputs)
}

pub(super) const GATE_INFO: OpInfo = OpInfo {
    name: "leaky_relu_gate",
    doc: "The gradient of a leaky rectifier under one of the three backward rules.",
    shaders: &[("leaky_relu_gate", GATE_SHADER)],
    examples: || {
        let inputs = || vec![wave([3, 5], 0.1), wave([3, 5], 1.7)];
        let gradient = |g: &mut Graph, x: &[ValueId]| gate(g, x, BackwardRule::Gradient);
        vec![
            Example::new("gradient", inputs(), gradient).forward_only(),
            Example::new("deconvnet", inputs(), |g, x| {
                gate(g, x, BackwardRule::Deconvnet)
            })
            .forward_only(),
            Example::new("guided", inputs(), |g, x| gate(g, x, BackwardRule::Guided))
                .forward_only(),
            Example::new(
                "one element",
                vec![wave([1], 0.2), wave([1], 0.3)],
                gradient,
            )
            .forward_only(),
            Example::new("not a number", vec![nan([6]), wave([6], 0.4)], gradient).forward_only(),
        ]
    },
};
