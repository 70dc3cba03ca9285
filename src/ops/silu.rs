//! The sigmoid-weighted linear unit (Elfwing, Uchibe & Doya 2018), which Ramachandran et al. 2017 found
//! again as swish: the activation of `EfficientNet`.

use crate::error::Result;
use crate::graph::{Example, Graph, OpInfo, ValueId};

use super::affine::affine;
use super::curve::{Curve, apply};
use super::testing::{nan, wave};

/// `y = x / (1 + exp(-x))` of each element of `x`.
///
/// # Errors
/// When `x` is not of floats.
pub fn silu(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    apply(graph, x, &CURVE, 0.0)
}

fn value(x: f32, _: f32) -> f32 {
    x * sigmoid(x)
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn slope(x: f32, _: f32) -> f32 {
    let gate = sigmoid(x);
    gate * (1.0 + x * (1.0 - gate))
}

static CURVE: Curve = Curve {
    stem: "silu",
    shader: SHADER,
    gradient_stem: "silu_gradient",
    gradient_shader: GRADIENT_SHADER,
    value,
    slope,
};

const SHADER: &str = crate::wgsl!("../../shaders/silu.wgsl");
const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/silu_gradient.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "silu",
    doc: "The input times its logistic sigmoid.",
    shaders: &[("silu", SHADER), ("silu_gradient", GRADIENT_SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| silu(g, x[0]);
        let wide = |g: &mut Graph, x: &[ValueId]| {
            let x = affine(g, x[0], 4.0, 0.0)?;
            silu(g, x)
        };
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("wide", vec![wave([3, 7], 0.3)], wide),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new("not a number", vec![nan([6])], build).forward_only(),
        ]
    },
};
