//! Powers with a fixed exponent of numbers that are not negative: the division of response
//! normalization.

use crate::error::Result;
use crate::graph::{Example, Graph, OpInfo, ValueId};
use crate::tensor::Tensor;

use super::affine::affine;
use super::curve::{Curve, apply};
use super::testing::wave;

/// `y = x^exponent` of each element of `x`, none of which may be negative (WGSL leaves that open).
///
/// # Errors
/// When `x` is not of floats.
pub fn power(graph: &mut Graph, x: ValueId, exponent: f32) -> Result<ValueId> {
    apply(graph, x, &CURVE, exponent)
}

fn value(x: f32, exponent: f32) -> f32 {
    x.powf(exponent)
}

fn slope(x: f32, exponent: f32) -> f32 {
    exponent * x.powf(exponent - 1.0)
}

static CURVE: Curve = Curve {
    stem: "power",
    shader: SHADER,
    gradient_stem: "power_gradient",
    gradient_shader: GRADIENT_SHADER,
    value,
    slope,
};

const SHADER: &str = crate::wgsl!("../../shaders/power.wgsl");
const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/power_gradient.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "power",
    doc: "A fixed power of numbers that are not negative.",
    shaders: &[("power", SHADER), ("power_gradient", GRADIENT_SHADER)],
    examples: || {
        // Away from 0, where the gradient ends.
        let build = |g: &mut Graph, x: &[ValueId]| {
            let positive = affine(g, x[0], 0.4, 1.2)?;
            power(g, positive, -0.75)
        };
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new(
                "not a number",
                vec![Tensor::from_fn([3], |_| f32::NAN)],
                build,
            )
            .forward_only(),
        ]
    },
};
