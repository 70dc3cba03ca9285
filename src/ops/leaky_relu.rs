//! The leaky rectifier, and the gate through which its gradient passes under each backward rule:
//! where the plain rectifier's gate cuts to zero, this one weakens by the slope.

use crate::error::Result;
use crate::graph::{
    Backward, BackwardRule, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype,
    expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::testing::{nan, wave};

/// `y = x` where x is positive, `slope * x` elsewhere (Maas et al. 2013).
#[derive(Debug, Clone, Copy)]
struct LeakyRelu {
    slope: f32,
}

/// `dx = dy` where the rule lets it pass, `slope * dy` elsewhere.
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
            rule: b.rule,
        };
        Ok(vec![Some(b.graph.push(gate, &[b.dy, b.inputs[0]])?)])
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let (n, slope) = (output.shape.elements(), self.slope);
        let constants = [("ELEMENTS", n), ("SLOPE_BITS", slope.to_bits() as usize)];
        let twin = move |args: &mut Args<'_>| {
            let x = args.read(0);
            for (y, x) in args.write(0).iter_mut().zip(x) {
                *y = x * if *x <= 0.0 { slope } else { 1.0 };
            }
        };
        let kernel = Kernel::linear("leaky_relu", SHADER, &constants, 1, n, twin);
        Lowering::single(kernel, 1)
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

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let (n, slope) = (output.shape.elements(), self.slope);
        let cut_input = matches!(self.rule, BackwardRule::Gradient | BackwardRule::Guided);
        let cut_gradient = matches!(self.rule, BackwardRule::Deconvnet | BackwardRule::Guided);
        let constants = [
            ("ELEMENTS", n),
            ("CUT_INPUT", usize::from(cut_input)),
            ("CUT_GRADIENT", usize::from(cut_gradient)),
            ("SLOPE_BITS", slope.to_bits() as usize),
        ];
        let twin = move |args: &mut Args<'_>| {
            let (dy, x) = (args.read(0), args.read(1));
            for ((dx, dy), x) in args.write(0).iter_mut().zip(dy).zip(x) {
                let by_input = if cut_input && *x <= 0.0 { slope } else { 1.0 };
                let by_gradient = if cut_gradient && *dy < 0.0 {
                    slope
                } else {
                    1.0
                };
                *dx = dy * by_input * by_gradient;
            }
        };
        let kernel = Kernel::linear("leaky_relu_gate", GATE_SHADER, &constants, 2, n, twin);
        Lowering::single(kernel, 2)
    }
}

const SHADER: &str = include_str!("../../shaders/leaky_relu.wgsl");
const GATE_SHADER: &str = include_str!("../../shaders/leaky_relu_gate.wgsl");

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
