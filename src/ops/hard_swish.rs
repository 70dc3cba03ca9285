//! The piecewise approximation of swish (Howard et al. 2019, "Searching for `MobileNetV3`", section 5.2).

use crate::error::Result;
use crate::graph::{Example, Graph, OpInfo, ValueId};

use super::affine::affine;
use super::curve::{Curve, apply};
use super::testing::{nan, wave};

/// `y = x min(max(x + 3, 0), 6) / 6` of each element of `x`; its derivative is 0 up to -3 and 1 from 3 on.
///
/// # Errors
/// When `x` is not of floats.
pub fn hard_swish(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    apply(graph, x, &CURVE, 0.0)
}

fn value(x: f32, _: f32) -> f32 {
    x * ((x + 3.0).clamp(0.0, 6.0) * (1.0 / 6.0))
}

fn slope(x: f32, _: f32) -> f32 {
    if x <= -3.0 {
        0.0
    } else if x >= 3.0 {
        1.0
    } else {
        x * (1.0 / 3.0) + 0.5
    }
}

static CURVE: Curve = Curve {
    stem: "hard_swish",
    shader: SHADER,
    gradient_stem: "hard_swish_gradient",
    gradient_shader: GRADIENT_SHADER,
    value,
    slope,
};

const SHADER: &str = crate::wgsl!("../../shaders/hard_swish.wgsl");
const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/hard_swish_gradient.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "hard_swish",
    doc: "Swish by straight lines.",
    shaders: &[
        ("hard_swish", SHADER),
        ("hard_swish_gradient", GRADIENT_SHADER),
    ],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| hard_swish(g, x[0]);
        let wide = |g: &mut Graph, x: &[ValueId]| {
            let x = affine(g, x[0], 4.0, 0.0)?;
            hard_swish(g, x)
        };
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("wide", vec![wave([3, 7], 0.3)], wide),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new("not a number", vec![nan([6])], build).forward_only(),
        ]
    },
};
