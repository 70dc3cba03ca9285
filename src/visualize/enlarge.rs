//! Maps enlarged to the image they are laid over, by linear interpolation.

use crate::error::Result;
use crate::graph::{Graph, ValueId};
use crate::ops;

/// Planes `[n, h, w]` of `x` enlarged to `[n, height, width]`.
pub(super) fn enlarged(
    g: &mut Graph,
    x: ValueId,
    [n, h, w]: [usize; 3],
    [height, width]: [usize; 2],
) -> Result<ValueId> {
    let across = g.constant([width, w], &interpolation(w, width))?;
    let down = g.constant([height, h], &interpolation(h, height))?;
    let rows = ops::reshape(g, x, [n * h, w])?;
    let wide = ops::matmul(g, rows, across, false, true)?;
    let columns = ops::transpose(g, wide, [n, h, width], [n * width, h])?;
    let large = ops::matmul(g, columns, down, false, true)?;
    ops::transpose(g, large, [n, width, height], [n, height, width])
}

/// Linear interpolation from `small` to `large` samples as a matrix `[large, small]`, samples in the middle of
/// their pixels (PyTorch's `align_corners=False`).
fn interpolation(small: usize, large: usize) -> Vec<f32> {
    let mut matrix = vec![0.0; large * small];
    for (at, row) in matrix.chunks_exact_mut(small).enumerate() {
        let from = ((at as f32 + 0.5) * small as f32 / large as f32 - 0.5).max(0.0);
        let low = (from as usize).min(small - 1);
        let high = (low + 1).min(small - 1);
        row[low] += 1.0 - (from - low as f32);
        row[high] += from - low as f32;
    }
    matrix
}
