//! The real Fourier (Hartley) basis as a matrix.

use std::f64::consts::TAU;

/// The orthonormal Hartley matrix `[size, size]`, `(cos t + sin t) / sqrt(size)` with `t` the product of
/// row and column in turns of `size`: symmetric and its own inverse. It spans the frequencies of the
/// complex transform with exactly as many coefficients as there are samples.
pub fn hartley(size: usize) -> Vec<f32> {
    let entry = |i: usize| {
        let turn = (i / size * (i % size) % size) as f64 / size as f64 * TAU;
        ((turn.cos() + turn.sin()) / (size as f64).sqrt()) as f32
    };
    (0..size * size).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::hartley;

    #[test]
    fn the_matrix_is_its_own_inverse() {
        for size in [1, 2, 7, 28] {
            let m = hartley(size);
            for (i, j) in (0..size * size).map(|k| (k / size, k % size)) {
                let found: f32 = (0..size).map(|k| m[i * size + k] * m[k * size + j]).sum();
                let expected = f32::from(u8::from(i == j));
                assert!((found - expected).abs() < 1e-5, "{size}: {i}, {j}");
            }
        }
    }
}
