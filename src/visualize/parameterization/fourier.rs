//! Coefficients of spatial frequencies, each in units of the dataset's mean amplitude at its frequency:
//! all scales are equally easy to move, which keeps pictures from being noise (Olah et al. 2017). Two
//! products with Hartley matrices stand in for the FFT.

use crate::error::Result;
use crate::graph::{Graph, ValueId};
use crate::ops;
use crate::tensor::hartley;

use super::{Canvas, Parameterization, noise};

pub(super) const INFO: Parameterization = Parameterization {
    id: "fourier",
    pixels: false,
    linear: true,
    rate: 1.0,
    count: |canvas| canvas.shape.iter().product(),
    start: |canvas, rng| noise(canvas.images * canvas.shape.iter().product::<usize>(), rng),
    draw,
};

fn draw(graph: &mut Graph, canvas: &Canvas, coefficients: ValueId) -> Result<ValueId> {
    let [c, h, w] = canvas.shape;
    let reach = graph.constant([h, w], &canvas.reach)?;
    let spectrum = ops::reshape(graph, coefficients, [canvas.images * c, h, w])?;
    let spectrum = ops::mul(graph, spectrum, reach)?;
    canvas.separable(graph, spectrum, [h, w], [&hartley(h), &hartley(w)])
}
