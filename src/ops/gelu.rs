//! The Gaussian error linear unit (Hendrycks & Gimpel 2016), `x P(x)` with the normal distribution function
//! `P`, by its exact form, not the tanh approximation. The error function within is Abramowitz &
//! Stegun 7.1.26, whose absolute error is below 1.5e-7; so that of `P` is below 7.5e-8, about the rounding of
//! an f32 near 1, and the tail of negative numbers is free of cancellation.

use crate::error::Result;
use crate::graph::{Example, Graph, OpInfo, ValueId};

use super::affine::affine;
use super::curve::{Curve, apply};
use super::testing::{nan, wave};

/// `y = x (1 + erf(x / sqrt 2)) / 2` of each element of `x`.
///
/// # Errors
/// When `x` is not of floats.
pub fn gelu(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    apply(graph, x, &CURVE, 0.0)
}

fn value(x: f32, _: f32) -> f32 {
    x * distribution(x)
}

/// The normal distribution function.
fn distribution(x: f32) -> f32 {
    // 0.3275911 of the formula, which is of x / sqrt 2.
    let t = 1.0 / (1.0 + 0.231_641_89 * x.abs());
    let polynomial = t
        * (0.254_829_6
            + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
    let tail = 0.5 * polynomial * (-0.5 * x * x).exp();
    if x < 0.0 { tail } else { 1.0 - tail }
}

fn slope(x: f32, _: f32) -> f32 {
    let density = 0.398_942_3 * (-0.5 * x * x).exp();
    distribution(x) + x * density
}

static CURVE: Curve = Curve {
    stem: "gelu",
    shader: SHADER,
    gradient_stem: "gelu_gradient",
    gradient_shader: GRADIENT_SHADER,
    value,
    slope,
};

const SHADER: &str = crate::wgsl!("../../shaders/gelu.wgsl");
const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/gelu_gradient.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "gelu",
    doc: "The Gaussian error linear unit, by the error function.",
    shaders: &[("gelu", SHADER), ("gelu_gradient", GRADIENT_SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| gelu(g, x[0]);
        let wide = |g: &mut Graph, x: &[ValueId]| {
            let x = affine(g, x[0], 4.0, 0.0)?;
            gelu(g, x)
        };
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], build),
            Example::new("wide", vec![wave([3, 7], 0.3)], wide),
            Example::new("one element", vec![wave([1], 0.2)], build),
            Example::new("not a number", vec![nan([6])], build).forward_only(),
        ]
    },
};
