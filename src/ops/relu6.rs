//! The rectifier with a ceiling of 6 (Krizhevsky 2010, "Convolutional Deep Belief Networks on CIFAR-10"; the
//! activation of `MobileNetV2`), and the gate through which its gradient passes under each backward rule.

use crate::error::Result;
use crate::graph::{
    Backward, BackwardRule, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype,
    expect_inputs,
};
use crate::program::Stage;
use crate::tensor::{DType, Spec, Tensor};

use super::affine::affine;
use super::gated::gated;
use super::testing::{nan, wave};

/// `y = min(max(x, 0), 6)`.
#[derive(Debug, Clone, Copy)]
struct Relu6;

/// `dx = dy` where the rule lets it pass, 0 elsewhere, from dy and the rectifier's output, which is above 0 and
/// below 6 where the input was. A rule that asks for the input's sign asks for the ceiling, too.
#[derive(Debug, Clone, Copy)]
struct Relu6Gate(BackwardRule);

/// Rectifies `x` and cuts it at 6; NaN becomes 0, as in [`relu`](super::relu()).
///
/// # Errors
/// When `x` is not of floats.
pub fn relu6(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    graph.push(Relu6, &[x])
}

impl Op for Relu6 {
    fn name(&self) -> &'static str {
        "relu6"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("relu6", inputs)?;
        expect_dtype("relu6", x, DType::F32)?;
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let gate = |graph: &mut Graph, rule, both: [ValueId; 2]| graph.push(Relu6Gate(rule), &both);
        Ok(vec![Some(gated(b.graph, b.rule, [b.dy, b.output], gate)?)])
    }

    fn stage(&self, _: usize, _: &[Spec]) -> Option<Stage> {
        Some(Stage::unary(SHADER, Vec::new(), |v| {
            if v > 0.0 { v.min(CEILING) } else { 0.0 }
        }))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

impl Op for Relu6Gate {
    fn name(&self) -> &'static str {
        "relu6_gate"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy, x] = expect_inputs("relu6_gate", inputs)?;
        expect_dtype("relu6_gate", dy, DType::F32)?;
        expect_dtype("relu6_gate", x, DType::F32)?;
        Ok(dy.clone())
    }

    fn stage(&self, primary: usize, _: &[Spec]) -> Option<Stage> {
        let rule = self.0;
        let by_output = rule != BackwardRule::Deconvnet;
        let gate = move |dy, y| {
            let by_ceiling = by_output && y >= CEILING;
            let cut = rule.weakens_by_output(dy, y) || by_ceiling || rule.weakens_by_gradient(dy);
            if cut { 0.0 } else { dy }
        };
        (primary == 0).then(|| Stage::elementwise(GATE_SHADER, rule.constants(), gate))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const CEILING: f32 = 6.0;

const SHADER: &str = crate::wgsl!("../../shaders/relu6.wgsl");
const GATE_SHADER: &str = crate::wgsl!("../../shaders/relu6_gate.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "relu6",
    doc: "The rectifier min(max(x, 0), 6).",
    shaders: &[("relu6", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| relu6(g, x[0]);
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("wide", vec![wave([3, 7], 0.1)], |g, x| {
                let x = affine(g, x[0], 9.0, 0.0)?;
                relu6(g, x)
            }),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new("not a number", vec![nan([6])], build).forward_only(),
        ]
    },
};

pub(super) const GATE_INFO: OpInfo = OpInfo {
    name: "relu6_gate",
    doc: "The gradient of a rectifier with a ceiling under one of the backward rules.",
    shaders: &[("relu6_gate", GATE_SHADER)],
    examples: || {
        let outputs = Tensor::from_fn([3, 5], |i| [0.0, 2.5, 6.0][i % 3]);
        let inputs = || vec![wave([3, 5], 0.1), outputs.clone()];
        vec![
            Example::new("gradient", inputs(), |g, x| {
                g.push(Relu6Gate(BackwardRule::Gradient), x)
            })
            .forward_only(),
            Example::new("deconvnet", inputs(), |g, x| {
                g.push(Relu6Gate(BackwardRule::Deconvnet), x)
            })
            .forward_only(),
            Example::new("guided", inputs(), |g, x| {
                g.push(Relu6Gate(BackwardRule::Guided), x)
            })
            .forward_only(),
            Example::new("redirected", inputs(), |g, x| {
                g.push(Relu6Gate(BackwardRule::Redirected), x)
            })
            .forward_only(),
            Example::new(
                "one element",
                vec![wave([1], 0.1), wave([1], 4.0)],
                |g, x| g.push(Relu6Gate(BackwardRule::Gradient), x),
            )
            .forward_only(),
            Example::new("not a number", vec![nan([6]), wave([6], 0.4)], |g, x| {
                g.push(Relu6Gate(BackwardRule::Gradient), x)
            })
            .forward_only(),
        ]
    },
};
