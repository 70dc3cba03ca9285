//! The rectifier, and the gate through which its gradient passes under each backward rule.

use crate::error::Result;
use crate::graph::{
    Backward, BackwardRule, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype,
    expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::testing::{nan, wave};

/// `y = max(x, 0)` (Nair & Hinton 2010).
#[derive(Debug, Clone, Copy)]
struct Relu;

/// `dx = dy` where the rule lets it pass, 0 elsewhere.
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
        Ok(vec![Some(
            b.graph.push(ReluGate(b.rule), &[b.dy, b.inputs[0]])?,
        )])
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let twin = |args: &mut Args<'_>| {
            let x = args.read(0);
            for (y, x) in args.write(0).iter_mut().zip(x) {
                *y = if *x > 0.0 { *x } else { 0.0 };
            }
        };
        Lowering::single(
            Kernel::linear("relu", SHADER, &[("ELEMENTS", n)], 1, n, twin),
            1,
        )
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

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let cut_input = matches!(self.0, BackwardRule::Gradient | BackwardRule::Guided);
        let cut_gradient = matches!(self.0, BackwardRule::Deconvnet | BackwardRule::Guided);
        let constants = [
            ("ELEMENTS", n),
            ("CUT_INPUT", usize::from(cut_input)),
            ("CUT_GRADIENT", usize::from(cut_gradient)),
        ];
        let twin = move |args: &mut Args<'_>| {
            let (dy, x) = (args.read(0), args.read(1));
            let values = args.write(0).iter_mut().zip(dy).zip(x);
            // Each rule has a loop of its own, so that none asks for the rule.
            match (cut_input, cut_gradient) {
                (true, false) => {
                    values.for_each(|((dx, &dy), &x)| *dx = if x <= 0.0 { 0.0 } else { dy });
                }
                (false, _) => {
                    values.for_each(|((dx, &dy), _)| *dx = if dy < 0.0 { 0.0 } else { dy });
                }
                (true, true) => values.for_each(|((dx, &dy), &x)| {
                    *dx = if (x <= 0.0) | (dy < 0.0) { 0.0 } else { dy };
                }),
            }
        };
        Lowering::single(
            Kernel::linear("relu_gate", GATE_SHADER, &constants, 2, n, twin),
            2,
        )
    }
}

const SHADER: &str = include_str!("../../shaders/relu.wgsl");
const GATE_SHADER: &str = include_str!("../../shaders/relu_gate.wgsl");

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
