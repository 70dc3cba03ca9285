//! Every pixel for itself, as in Erhan et al. 2009, Simonyan et al. 2014 and Yosinski et al. 2015: the
//! classic, noisy without a regularizer.

use crate::ops;

use super::{Canvas, Parameterization, noise};

/// How far a unit coefficient moves its pixel: as far as all frequencies together.
fn reach(canvas: &Canvas) -> f32 {
    canvas.band(0.0, f32::INFINITY)
}

pub(super) const INFO: Parameterization = Parameterization {
    id: "pixel",
    pixels: true,
    linear: true,
    rate: 1.0,
    count: |canvas| canvas.shape.iter().product(),
    start: |canvas, rng| noise(canvas.images * canvas.shape.iter().product::<usize>(), rng),
    draw: |graph, canvas, coefficients| {
        let [c, h, w] = canvas.shape;
        let pixels = ops::reshape(graph, coefficients, [canvas.images, h, w, c])?;
        ops::affine(graph, pixels, reach(canvas), 0.0)
    },
};
