//! How an optimized image is parameterized. Optimizing frequencies instead of pixels makes all scales
//! equally easy to move, which is what keeps the pictures from being noise (Olah et al. 2017,
//! "Preconditioning and parameterization").
//!
//! The basis is the real Fourier (Hartley) basis, `cas t = cos t + sin t`, separable into one small
//! matrix per axis: it spans the same frequencies as the complex transform with exactly as many
//! coefficients as pixels, so that two matrix products replace an FFT.

use crate::error::Result;
use crate::graph::{Graph, ValueId};
use crate::ops;
use crate::rng::Rng;
use crate::tensor::Spec;

/// Adds images `[n, h, w, c]` in 0..1 as a function of the outside value `name`, flat coefficients
/// `[n * c * h * w]`; returns coefficients and images. Each coefficient is divided by its frequency,
/// as natural images' spectra are, and the image goes through a sigmoid.
///
/// # Errors
/// When a shape is empty.
pub fn fourier_images(
    graph: &mut Graph,
    name: &str,
    [n, c, h, w]: [usize; 4],
) -> Result<(ValueId, ValueId)> {
    let coefficients = graph.external(name, Spec::f32([n * c * h * w]))?;
    let rows = hartley(graph, w)?;
    let columns = hartley(graph, h)?;
    let decay = graph.constant([h, w], &decay(h, w))?;
    let spectrum = ops::reshape(graph, coefficients, [n * c, h, w])?;
    let spectrum = ops::mul(graph, spectrum, decay)?;
    let spectrum = ops::reshape(graph, spectrum, [n * c * h, w])?;
    let half = ops::matmul(graph, spectrum, rows, false, false)?;
    let half = ops::transpose(graph, half, [n * c, h, w], [n * c * w, h])?;
    let planes = ops::matmul(graph, half, columns, false, false)?;
    // [n, c, w, h] to [n, h, w, c].
    let planes = ops::transpose(graph, planes, [n, c * w, h], [n * h, c, w])?;
    let pixels = ops::transpose(graph, planes, [n * h, c, w], [n, h, w, c])?;
    Ok((coefficients, ops::sigmoid(graph, pixels)?))
}

/// Small random coefficients to start from.
pub fn initial_coefficients(count: usize, seed: u64) -> Vec<u32> {
    let mut rng = Rng::new(seed, "spectrum");
    (0..count)
        .map(|_| (0.01 * rng.normal()).to_bits())
        .collect()
}

/// The orthonormal Hartley matrix `[size, size]`.
fn hartley(graph: &mut Graph, size: usize) -> Result<ValueId> {
    let entry = |i: usize| {
        let turn = (i / size * (i % size) % size) as f64 / size as f64 * std::f64::consts::TAU;
        ((turn.cos() + turn.sin()) / (size as f64).sqrt()) as f32
    };
    let matrix: Vec<f32> = (0..size * size).map(entry).collect();
    graph.constant([size, size], &matrix)
}

/// `sqrt(h w) / max(f, 1 / max(h, w))` for each coefficient, with `f` its frequency in cycles per
/// pixel: the scale of Lucid's `fft_image`.
fn decay(h: usize, w: usize) -> Vec<f32> {
    let frequency = |k: usize, size: usize| k.min(size - k) as f32 / size as f32;
    let lowest = 1.0 / h.max(w) as f32;
    let scale = |i: usize| {
        let f = frequency(i / w, h).hypot(frequency(i % w, w)).max(lowest);
        ((h * w) as f32).sqrt() / f
    };
    // The basis is orthonormal here and unnormalized there: one more factor of the image's size.
    (0..h * w)
        .map(|i| scale(i) / ((h * w) as f32).sqrt())
        .collect()
}
