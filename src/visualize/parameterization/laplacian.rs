//! A sum of grids, each half as fine as the one before and interpolated to the image's size (Burt &
//! Adelson 1983; `lap_norm` of Mordvintsev 2015 and the Laplacian pyramid of Lucid): the gradient of
//! coarse shapes is not lost among that of fine ones. Each grid is scaled to the dataset's amplitude in
//! its octave.

use crate::error::{Error, Result};
use crate::graph::{Graph, ValueId};
use crate::ops;

use super::{Canvas, Parameterization, noise};

/// Cells along the shorter side of the coarsest grid, at least.
const COARSEST: usize = 3;

pub(super) const INFO: Parameterization = Parameterization {
    id: "laplacian",
    pixels: false,
    linear: true,
    rate: 1.0,
    count,
    start: |canvas, rng| noise(canvas.images * count(canvas), rng),
    draw,
};

/// The grids' heights and widths, the finest first.
fn grids(canvas: &Canvas) -> Vec<[usize; 2]> {
    let [_, mut h, mut w] = canvas.shape;
    let mut grids = vec![[h, w]];
    while h.min(w).div_ceil(2) >= COARSEST {
        (h, w) = (h.div_ceil(2), w.div_ceil(2));
        grids.push([h, w]);
    }
    grids
}

fn count(canvas: &Canvas) -> usize {
    let cells = grids(canvas).iter().map(|[h, w]| h * w).sum::<usize>();
    canvas.shape[0] * cells
}

fn draw(graph: &mut Graph, canvas: &Canvas, coefficients: ValueId) -> Result<ValueId> {
    let [c, h, w] = canvas.shape;
    let rows = ops::reshape(graph, coefficients, [canvas.images, count(canvas)])?;
    let grids = grids(canvas);
    let last = grids.len() - 1;
    let mut first = 0;
    let mut sum = None;
    for (level, [rows_here, columns_here]) in grids.into_iter().enumerate() {
        let cells = c * rows_here * columns_here;
        let grid = ops::slice_channels(graph, rows, first, cells)?;
        first += cells;
        // Octaves from the finest down; the coarsest has all that is left, the mean included.
        let high = if level == 0 {
            f32::INFINITY
        } else {
            0.5 / (1 << level) as f32
        };
        let low = if level == last {
            0.0
        } else {
            0.25 / (1 << level) as f32
        };
        let grid = ops::affine(graph, grid, canvas.band(low, high), 0.0)?;
        let (down, across) = (interpolation(rows_here, h), interpolation(columns_here, w));
        let planes = canvas.separable(graph, grid, [rows_here, columns_here], [&down, &across])?;
        sum = Some(match sum {
            Some(before) => ops::add(graph, before, planes)?,
            None => planes,
        });
    }
    sum.ok_or_else(|| Error::mismatch("laplacian", "an image", "no pixels"))
}

/// The matrix `[cells, size]` that interpolates `cells` values linearly to `size`, the centers of the outer
/// cells extended to the border.
fn interpolation(cells: usize, size: usize) -> Vec<f32> {
    let mut matrix = vec![0.0; cells * size];
    for i in 0..size {
        let at =
            ((i as f32 + 0.5) * cells as f32 / size as f32 - 0.5).clamp(0.0, cells as f32 - 1.0);
        let low = at as usize;
        let high = (low + 1).min(cells - 1);
        let part = at - low as f32;
        matrix[low * size + i] += 1.0 - part;
        matrix[high * size + i] += part;
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::interpolation;

    #[test]
    fn interpolation_keeps_constants_and_is_the_identity_at_its_own_size() {
        for (cells, size) in [(1, 5), (4, 7), (7, 28)] {
            let matrix = interpolation(cells, size);
            for i in 0..size {
                let sum: f32 = (0..cells).map(|k| matrix[k * size + i]).sum();
                assert!((sum - 1.0).abs() < 1e-6);
            }
        }
        assert_eq!(interpolation(2, 2), [1.0, 0.0, 0.0, 1.0]);
    }
}
