//! How an optimized image is parameterized: one file per way, one line in [`PARAMETERIZATIONS`]. What is
//! optimized are coefficients; the image is a function of them, and steps that are equal in the
//! coefficients decide which images are near (Olah et al. 2017, "Preconditioning and parameterization").
//!
//! Every way draws decorrelated planes, scaled to the spatial frequencies of the dataset. What turns them
//! into colors is here: the [`Palette`], a base image that zero coefficients give, and a sigmoid that
//! keeps the image in 0..1.

mod cppn;
mod fourier;
mod laplacian;
mod pixel;

use crate::error::{Error, Result};
use crate::graph::{Graph, ValueId};
use crate::ops;
use crate::rng::Rng;

use super::palette::Palette;

/// What is drawn on.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    /// Images of the batch.
    pub(super) images: usize,
    /// Channels, height and width.
    pub(super) shape: [usize; 3],
    /// For each frequency `[h, w]` of the Hartley transform, how far a unit coefficient moves the image's:
    /// the root of the dataset's mean amplitude, scaled. Coefficients follow their gradient, which has this
    /// factor once more, so that the image follows the gradient of its pixels with the dataset's spectrum.
    pub(super) reach: Vec<f32>,
}

/// A way of drawing.
pub(super) struct Parameterization {
    /// Its name in forms and scripts.
    pub(super) id: &'static str,
    /// Whether the coefficients are the pixels, `[n, h, w, c]`.
    pub(super) pixels: bool,
    /// Whether the coefficients of one image lie together, and the image's deviation from its base is
    /// proportional to theirs.
    pub(super) linear: bool,
    /// Size of the optimizer's steps, relative to the one that is asked for.
    pub(super) rate: f32,
    /// Coefficients per image.
    pub(super) count: fn(&Canvas) -> usize,
    /// The coefficients of all images to begin with, `count * images`.
    pub(super) start: fn(&Canvas, &mut Rng) -> Vec<f32>,
    /// Decorrelated planes `[n, h, w, c]` from flat coefficients.
    pub(super) draw: fn(&mut Graph, &Canvas, ValueId) -> Result<ValueId>,
}

/// Every parameterization; the first is the default.
pub(super) const PARAMETERIZATIONS: &[Parameterization] =
    &[fourier::INFO, pixel::INFO, laplacian::INFO, cppn::INFO];

/// The parameterization called `id`.
///
/// # Errors
/// When there is none.
pub(super) fn find(id: &str) -> Result<&'static Parameterization> {
    let found = PARAMETERIZATIONS.iter().find(|entry| entry.id == id);
    found.ok_or_else(|| {
        let known = PARAMETERIZATIONS.iter().map(|entry| entry.id);
        Error::unknown("parameterization", id, known)
    })
}

/// Standard deviation of the coefficients that are drawn to begin with.
const START: f32 = 0.01;

/// Small random coefficients for every image.
fn noise(count: usize, rng: &mut Rng) -> Vec<f32> {
    (0..count).map(|_| START * rng.normal()).collect()
}

impl Canvas {
    /// A canvas for `images` of `shape` whose frequencies have the proportions of `spectrum` `[h, w]`; where
    /// it is unknown (of another size, or zero), of the spectrum `1 / f` of natural images.
    pub(super) fn new(images: usize, shape: [usize; 3], spectrum: &[f32]) -> Self {
        let [_, h, w] = shape;
        let natural: Vec<f32> = (0..h * w)
            .map(|i| {
                let lowest = 1.0 / h.max(w) as f32;
                frequency(i, [h, w]).max(lowest).recip().sqrt()
            })
            .collect();
        let most = spectrum.iter().fold(0.0_f32, |m, x| m.max(*x));
        let known = spectrum.len() == h * w && most > 1e-6 && most.is_finite();
        // What the dataset never shows keeps a thousandth of the strongest frequency's reach.
        let measured = || spectrum.iter().map(|x| x.max(1e-3 * most).sqrt()).collect();
        let mut reach: Vec<f32> = if known { measured() } else { natural.clone() };
        let scale = (energy(&natural) / energy(&reach)).sqrt();
        reach.iter_mut().for_each(|x| *x *= scale);
        Self {
            images,
            shape,
            reach,
        }
    }

    /// Images `[n, h, w, c]` in 0..1 from decorrelated planes: `sigmoid(base + planes colors)`, where
    /// `base` `[h, w, c]` are logits.
    pub(super) fn color(
        &self,
        graph: &mut Graph,
        planes: ValueId,
        palette: &Palette,
        base: ValueId,
    ) -> Result<ValueId> {
        let [c, h, w] = self.shape;
        let n = self.images;
        let colors = graph.constant([c, c], &palette.colors)?;
        let pixels = ops::reshape(graph, planes, [n * h * w, c])?;
        let pixels = ops::matmul(graph, pixels, colors, false, false)?;
        let pixels = ops::reshape(graph, pixels, [n, h, w, c])?;
        let logits = ops::add(graph, pixels, base)?;
        ops::sigmoid(graph, logits)
    }

    /// Planes `[n, h, w, c]` that are `left x right` for each plane `[a, b]` of `x` `[n * c, a, b]`, with
    /// `left` `[a, h]` and `right` `[b, w]` as rows: what every separable basis comes down to.
    pub(super) fn separable(
        &self,
        graph: &mut Graph,
        x: ValueId,
        [a, b]: [usize; 2],
        [left, right]: [&[f32]; 2],
    ) -> Result<ValueId> {
        let [c, h, w] = self.shape;
        let n = self.images;
        let left = graph.constant([a, h], left)?;
        let right = graph.constant([b, w], right)?;
        let x = ops::reshape(graph, x, [n * c * a, b])?;
        let half = ops::matmul(graph, x, right, false, false)?;
        let half = ops::transpose(graph, half, [n * c, a, w], [n * c * w, a])?;
        let planes = ops::matmul(graph, half, left, false, false)?;
        // [n, c, w, h] to [n, h, w, c].
        let planes = ops::transpose(graph, planes, [n, c * w, h], [n * h, c, w])?;
        ops::transpose(graph, planes, [n * h, c, w], [n, h, w, c])
    }

    /// How far the root mean square of an image's coefficients may go so that its logits deviate by
    /// `deviation`.
    pub(super) fn limit(&self, deviation: f32) -> f32 {
        deviation / self.band(0.0, f32::INFINITY)
    }

    /// The root mean square reach of the frequencies from `low` to below `high`, in cycles per pixel, as a
    /// share of all coefficients.
    fn band(&self, low: f32, high: f32) -> f32 {
        let [_, h, w] = self.shape;
        let within = |&(i, _): &(usize, &f32)| (low..high).contains(&frequency(i, [h, w]));
        let sum: f32 = self
            .reach
            .iter()
            .enumerate()
            .filter(within)
            .map(|(_, x)| x * x)
            .sum();
        (sum / (h * w) as f32).sqrt()
    }
}

/// The frequency of coefficient `i` of a transform `[h, w]`, in cycles per pixel.
fn frequency(i: usize, [h, w]: [usize; 2]) -> f32 {
    let along = |k: usize, size: usize| k.min(size - k) as f32 / size as f32;
    along(i / w, h).hypot(along(i % w, w))
}

/// Mean square.
fn energy(values: &[f32]) -> f32 {
    values.iter().map(|x| x * x).sum::<f32>() / values.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::Canvas;

    #[test]
    fn reach_follows_the_measured_spectrum() {
        let spectrum = [16.0, 4.0, 0.0, 4.0];
        let canvas = Canvas::new(1, [1, 1, 4], &spectrum);
        assert!((canvas.reach[0] / canvas.reach[1] - 2.0).abs() < 1e-5);
        assert!(canvas.reach[2] > 0.0, "every frequency can be reached");
        let unknown = Canvas::new(1, [1, 1, 4], &[]);
        assert_eq!(unknown.reach, [2.0, 2.0, 2.0_f32.sqrt(), 2.0]);
        let whole = canvas.band(0.0, 1.0);
        assert!(
            (whole - unknown.band(0.0, 1.0)).abs() < 1e-4,
            "of equal energy"
        );
    }
}
