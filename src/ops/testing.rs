//! Inputs that several ops' examples share.

use crate::tensor::{Shape, Tensor};

/// A smooth, deterministic tensor without ties, values in -1..1.
pub(super) fn wave(shape: impl Into<Shape>, phase: f32) -> Tensor {
    Tensor::from_fn(shape, |i| (i as f32 * 0.731 + phase).sin())
}

/// A tensor with NaN, both infinities, the largest float and zeros of both signs in turn.
pub(super) fn nan(shape: impl Into<Shape>) -> Tensor {
    let poison = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        0.0,
        -0.0,
    ];
    Tensor::from_fn(shape, |i| poison[i % poison.len()])
}
