//! The parametric rectifier: a leaky one whose slopes are learned, one per channel (He et al. 2015,
//! "Delving Deep into Rectifiers", equations 1 and 3).

use std::sync::Arc;

use crate::error::Result;
use crate::graph::{
    Backward, BackwardRule, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype,
    expect_inputs,
};
use crate::program::Stage;
use crate::tensor::{DType, Spec};

use super::moments::expect_per_channel;
use super::sum::sum;
use super::testing::{nan, wave};

/// `y = x` where x is positive, `slope[c] * x` elsewhere.
#[derive(Debug, Clone, Copy)]
struct Prelu;

/// `dx = dy` where the rule lets it pass, `slope[c] * dy` elsewhere, from dy, x and the slopes. By the input,
/// as a learned slope may become negative and the output's sign says nothing then.
#[derive(Debug, Clone, Copy)]
struct PreluGate(BackwardRule);

/// `dy * min(x, 0)`, which summed over a channel is the gradient of its slope.
#[derive(Debug, Clone, Copy)]
struct PreluSlopeGradient;

/// Rectifies `x` `[.., c]`, leaving `slopes` `[c]` of its negative part; NaN stays NaN.
///
/// # Errors
/// When `slopes` are not one float per channel.
pub fn prelu(graph: &mut Graph, x: ValueId, slopes: ValueId) -> Result<ValueId> {
    graph.push(Prelu, &[x, slopes])
}

/// How slopes `[c]` are spread over `x` `[.., c]`.
fn spread(x: &Spec) -> [usize; 3] {
    let channels = x.shape.last();
    [1, x.shape.elements() / channels.max(1), channels]
}

impl Op for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, slopes] = expect_inputs("prelu", inputs)?;
        expect_dtype("prelu", x, DType::F32)?;
        expect_per_channel("prelu slopes", x, slopes)?;
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let [x, slopes] = [b.inputs[0], b.inputs[1]];
        let mut parts = vec![None, None];
        if b.wanted[0] {
            parts[0] = Some(
                b.graph
                    .push(PreluGate(b.rule.of_leaky()), &[b.dy, x, slopes])?,
            );
        }
        if b.wanted[1] {
            let each = b.graph.push(PreluSlopeGradient, &[b.dy, x])?;
            let factors = spread(b.graph.spec(x));
            parts[1] = Some(sum(b.graph, each, factors, [factors[2]], 1.0)?);
        }
        Ok(parts)
    }

    fn stage(&self, primary: usize, inputs: &[Spec]) -> Option<Stage> {
        let leak = |v: f32, slope: f32| v * if v <= 0.0 { slope } else { 1.0 };
        (primary == 0).then(|| Stage::binary(SHADER, Vec::new(), spread(&inputs[0]), leak))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

impl Op for PreluGate {
    fn name(&self) -> &'static str {
        "prelu_gate"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy, x, slopes] = expect_inputs("prelu_gate", inputs)?;
        expect_dtype("prelu_gate", dy, DType::F32)?;
        expect_per_channel("prelu_gate slopes", x, slopes)?;
        Ok(dy.clone())
    }

    fn stage(&self, primary: usize, inputs: &[Spec]) -> Option<Stage> {
        let rule = self.0;
        let apply = move |values: &mut [f32], operands: &[&[f32]]| {
            let [x, slopes] = [operands[0], operands[1]];
            let channels = slopes.len();
            let rows = values
                .chunks_exact_mut(channels)
                .zip(x.chunks_exact(channels));
            for (dy, x) in rows {
                for ((dy, x), slope) in dy.iter_mut().zip(x).zip(slopes) {
                    let weaken = |weakens| if weakens { *slope } else { 1.0 };
                    let by_output = weaken(rule.weakens_by_output(*dy, *x));
                    *dy *= by_output * weaken(rule.weakens_by_gradient(*dy));
                }
            }
        };
        (primary == 0).then(|| Stage {
            source: GATE_SHADER,
            constants: rule.constants(),
            operands: vec![[1, 1, 1], spread(&inputs[1])],
            apply: Arc::new(apply),
        })
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

impl Op for PreluSlopeGradient {
    fn name(&self) -> &'static str {
        "prelu_slope_gradient"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy, x] = expect_inputs("prelu_slope_gradient", inputs)?;
        expect_dtype("prelu_slope_gradient", dy, DType::F32)?;
        expect_dtype("prelu_slope_gradient", x, DType::F32)?;
        Ok(dy.clone())
    }

    fn stage(&self, primary: usize, _: &[Spec]) -> Option<Stage> {
        let negative = |dy: f32, x: f32| dy * if x <= 0.0 { x } else { 0.0 };
        (primary == 0).then(|| Stage::elementwise(SLOPE_SHADER, Vec::new(), negative))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/prelu.wgsl");
const GATE_SHADER: &str = crate::wgsl!("../../shaders/prelu_gate.wgsl");
const SLOPE_SHADER: &str = crate::wgsl!("../../shaders/prelu_slope_gradient.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "prelu",
    doc: "The rectifier that leaves a learned slope to negative inputs.",
    shaders: &[("prelu", SHADER), ("prelu_slope_gradient", SLOPE_SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| prelu(g, x[0], x[1]);
        let inputs = |x| vec![x, wave([3], 0.4)];
        vec![
            Example::new("maps", inputs(wave([2, 2, 2, 3], 0.1)), build),
            Example::new("rows", inputs(wave([2, 3], 0.1)), build),
            Example::new("one element", vec![wave([1], -0.4), wave([1], 0.3)], build),
            Example::new("not a number", inputs(nan([4, 3])), build).forward_only(),
        ]
    },
};

/// The gate under one rule, for the examples.
fn gate(graph: &mut Graph, inputs: &[ValueId], rule: BackwardRule) -> Result<ValueId> {
    graph.push(PreluGate(rule), inputs)
}

pub(super) const GATE_INFO: OpInfo = OpInfo {
    name: "prelu_gate",
    doc: "The gradient of a parametric rectifier under one of the backward rules.",
    shaders: &[("prelu_gate", GATE_SHADER)],
    examples: || {
        let inputs = || vec![wave([5, 3], 0.1), wave([5, 3], 1.7), wave([3], 0.4)];
        let gradient = |g: &mut Graph, x: &[ValueId]| gate(g, x, BackwardRule::Gradient);
        vec![
            Example::new("gradient", inputs(), gradient).forward_only(),
            Example::new("deconvnet", inputs(), |g, x| {
                gate(g, x, BackwardRule::Deconvnet)
            })
            .forward_only(),
            Example::new("guided", inputs(), |g, x| gate(g, x, BackwardRule::Guided))
                .forward_only(),
            Example::new("redirected", inputs(), |g, x| {
                gate(g, x, BackwardRule::Redirected)
            })
            .forward_only(),
            Example::new(
                "one element",
                vec![wave([1], 0.2), wave([1], 0.3), wave([1], 0.4)],
                gradient,
            )
            .forward_only(),
            Example::new(
                "not a number",
                vec![nan([4, 3]), wave([4, 3], 0.4), wave([3], 0.4)],
                gradient,
            )
            .forward_only(),
        ]
    },
};
