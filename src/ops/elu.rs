//! The exponential linear unit (Clevert, Unterthiner & Hochreiter 2016, "Fast and Accurate Deep Network
//! Learning by Exponential Linear Units", equation 15); times a constant it is SELU.

use crate::error::Result;
use crate::graph::{Example, Graph, OpInfo, ValueId};

use super::affine::affine;
use super::curve::{Curve, apply};
use super::testing::{nan, wave};

/// `y = x` where x is positive, `alpha (exp(x) - 1)` elsewhere.
///
/// # Errors
/// When `x` is not of floats.
pub fn elu(graph: &mut Graph, x: ValueId, alpha: f32) -> Result<ValueId> {
    apply(graph, x, &CURVE, alpha)
}

fn value(x: f32, alpha: f32) -> f32 {
    if x <= 0.0 { alpha * x.exp_m1() } else { x }
}

fn slope(x: f32, alpha: f32) -> f32 {
    if x <= 0.0 { alpha * x.exp() } else { 1.0 }
}

static CURVE: Curve = Curve {
    stem: "elu",
    shader: SHADER,
    gradient_stem: "elu_gradient",
    gradient_shader: GRADIENT_SHADER,
    value,
    slope,
};

const SHADER: &str = crate::wgsl!("../../shaders/elu.wgsl");
const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/elu_gradient.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "elu",
    doc: "The exponential linear unit.",
    shaders: &[("elu", SHADER), ("elu_gradient", GRADIENT_SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| elu(g, x[0], 0.8);
        let wide = |g: &mut Graph, x: &[ValueId]| {
            let x = affine(g, x[0], 4.0, 0.0)?;
            elu(g, x, 0.8)
        };
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("wide", vec![wave([3, 7], 0.3)], wide),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new("not a number", vec![nan([6])], build).forward_only(),
        ]
    },
};
