//! Colors that vary as the dataset's do. Optimizing channels as they come drives every color to its
//! corner of the cube; optimizing the dataset's principal directions of color, each in units of its own
//! spread, keeps colors that the network has met (Olah et al. 2017, "Preconditioning and
//! parameterization", with the matrix measured on the user's dataset in place of `ImageNet`'s).

use crate::tensor::ascending;

/// Rotations that diagonalize any covariance of channels to rounding.
const SWEEPS: usize = 30;

/// How decorrelated channels become colors.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Palette {
    /// `[c, c]`: row `k` is the color of one unit of decorrelated channel `k`; the widest row first, of
    /// length `sqrt(c)`, so that a unit of gray is a unit of every channel.
    pub(super) colors: Vec<f32>,
    /// Mean color in 0..1.
    pub(super) mean: Vec<f32>,
}

impl Palette {
    /// The palette of a dataset with this channel covariance `[c, c]` and mean; where the covariance is
    /// unknown (of another size, or zero), every channel is its own direction.
    pub(super) fn new(covariance: &[f32], mean: Vec<f32>) -> Self {
        let c = mean.len();
        let plain = || (0..c * c).map(|i| f32::from(u8::from(i / c == i % c)));
        let known = covariance.len() == c * c && covariance.iter().all(|x| x.is_finite());
        let (values, vectors) = if known {
            eigen(covariance, c)
        } else {
            (Vec::new(), Vec::new())
        };
        let widest = values.iter().fold(0.0_f64, |m, x| m.max(*x));
        if widest <= 1e-9 {
            return Self {
                colors: plain().collect(),
                mean,
            };
        }
        let length = (c as f64).sqrt();
        let negative: Vec<f32> = values.iter().map(|&value| -value as f32).collect();
        let order = ascending(&negative);
        let row = |&k: &usize| {
            // A direction that the dataset never takes keeps a hundredth of the widest one's reach.
            let reach = (values[k] / widest).max(1e-4).sqrt();
            // The sign is free: brighter is positive.
            let sum: f64 = (0..c).map(|i| vectors[i * c + k]).sum();
            let sign = if sum < 0.0 { -1.0 } else { 1.0 };
            (0..c)
                .map(|i| (sign * reach * length * vectors[i * c + k]) as f32)
                .collect::<Vec<_>>()
        };
        Self {
            colors: order.iter().flat_map(row).collect(),
            mean,
        }
    }
}

/// Eigenvalues of a symmetric matrix `[c, c]` and its eigenvectors as columns (cyclic Jacobi rotations).
fn eigen(matrix: &[f32], c: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a: Vec<f64> = matrix.iter().map(|&x| x.into()).collect();
    let mut v = vec![0.0; c * c];
    (0..c).for_each(|i| v[i * c + i] = 1.0);
    let pairs = || (0..c).flat_map(|p| (p + 1..c).map(move |q| (p, q)));
    for (p, q) in (0..SWEEPS).flat_map(|_| pairs()) {
        if a[p * c + q].abs() < 1e-15 {
            continue;
        }
        // Golub & Van Loan, "Matrix Computations", algorithm 8.5.1.
        let tau = (a[q * c + q] - a[p * c + p]) / (2.0 * a[p * c + q]);
        let tangent = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
        let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
        let sine = tangent * cosine;
        let turn = |m: &mut [f64], i: usize, j: usize| {
            (m[i], m[j]) = (cosine * m[i] - sine * m[j], sine * m[i] + cosine * m[j]);
        };
        for k in 0..c {
            turn(&mut a, k * c + p, k * c + q);
            turn(&mut v, k * c + p, k * c + q);
        }
        for k in 0..c {
            turn(&mut a, p * c + k, q * c + k);
        }
    }
    ((0..c).map(|i| a[i * c + i]).collect(), v)
}

#[cfg(test)]
mod tests {
    use super::Palette;

    #[test]
    fn the_colors_have_the_datasets_covariance() {
        let covariance = [0.06, 0.05, 0.02, 0.05, 0.07, 0.03, 0.02, 0.03, 0.05];
        let palette = Palette::new(&covariance, vec![0.5; 3]);
        let length: f32 = palette.colors[..3].iter().map(|x| x * x).sum();
        assert!((length - 3.0).abs() < 1e-5, "{length}");
        // M^T M is the covariance in units of the widest variance.
        let product = |i: usize, j: usize| -> f32 {
            (0..3)
                .map(|k| palette.colors[k * 3 + i] * palette.colors[k * 3 + j])
                .sum()
        };
        let unit = product(0, 0) / covariance[0];
        for (i, wanted) in covariance.iter().enumerate() {
            let (found, expected) = (product(i / 3, i % 3), unit * wanted);
            assert!((found - expected).abs() < 1e-5, "{i}: {found}, {expected}");
        }
    }

    #[test]
    fn gray_and_unknown_datasets_have_plain_colors() {
        assert_eq!(Palette::new(&[0.3], vec![0.1]).colors, [1.0]);
        for covariance in [&[] as &[f32], &[0.0; 4], &[f32::NAN; 4]] {
            let palette = Palette::new(covariance, vec![0.1; 2]);
            assert_eq!(palette.colors, [1.0, 0.0, 0.0, 1.0]);
        }
    }
}
