//! The CPU side of convolution: patches under the windows are gathered into a matrix a few rows of
//! the output at a time (so that it stays in the cache) and multiplied by the filters; Chellapilla et
//! al. 2006, "High performance convolutional neural networks for document processing". Depthwise
//! convolutions skip the matrix, which would have one column.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder as _};

use super::geometry::Geometry;

/// Floats of patches gathered at a time: a quarter of a typical second-level cache.
const COLUMN_FLOATS: usize = 1 << 15;

/// `y = x * w`.
pub(super) fn forward(geometry: &Geometry, x: &[f32], w: &[f32], y: &mut [f32]) {
    if geometry.is_depthwise() {
        y.fill(0.0);
        let channels = geometry.ci();
        return for_each_tap(geometry, 0..geometry.rows(), |tap, x_at, y_at| {
            let pairs = x[x_at..x_at + channels].iter().zip(&w[tap * channels..]);
            for (y, (x, w)) in y[y_at..y_at + channels].iter_mut().zip(pairs) {
                *y += x * w;
            }
        });
    }
    for_each_patch_matrix(geometry, 0..geometry.rows(), |rows, group, columns| {
        let pixels = rows.len() * geometry.output[1];
        gather(geometry, rows.clone(), group, x, columns);
        let patches = patches(geometry, &rows, x, columns, pixels);
        let filters = filters(geometry, group, w);
        let mut y = output_mut(geometry, group, &rows, y);
        general_mat_mul(1.0, &patches, &filters, 0.0, &mut y);
    });
}

/// `dx = dy * w` transposed.
pub(super) fn input_gradient(geometry: &Geometry, dy: &[f32], w: &[f32], dx: &mut [f32]) {
    dx.fill(0.0);
    if geometry.is_depthwise() {
        let channels = geometry.ci();
        return for_each_tap(geometry, 0..geometry.rows(), |tap, x_at, y_at| {
            let pairs = dy[y_at..y_at + channels].iter().zip(&w[tap * channels..]);
            for (dx, (dy, w)) in dx[x_at..x_at + channels].iter_mut().zip(pairs) {
                *dx += dy * w;
            }
        });
    }
    let taps = geometry.taps_by_inputs();
    for_each_patch_matrix(geometry, 0..geometry.rows(), |rows, group, columns| {
        let dy = output(geometry, group, &rows, dy);
        let filters = filters(geometry, group, w);
        let pixels = rows.len() * geometry.output[1];
        let first = rows.start * geometry.output[1] * taps;
        let target = if geometry.is_pointwise() {
            &mut dx[first..first + pixels * taps]
        } else {
            &mut columns[..pixels * taps]
        };
        let mut patches = view_mut([pixels, taps], [taps, 1], target);
        general_mat_mul(1.0, &dy, &filters.t(), 0.0, &mut patches);
        scatter(geometry, rows, group, columns, dx);
    });
}

/// `dw = x` transposed `* dy`, over these output rows of the batch.
pub(super) fn weight_gradient(
    geometry: &Geometry,
    rows: Range<usize>,
    x: &[f32],
    dy: &[f32],
    dw: &mut [f32],
) {
    dw.fill(0.0);
    if geometry.is_depthwise() {
        let channels = geometry.ci();
        return for_each_tap(geometry, rows, |tap, x_at, y_at| {
            let pairs = x[x_at..x_at + channels].iter().zip(&dy[y_at..]);
            for (dw, (x, dy)) in dw[tap * channels..].iter_mut().zip(pairs) {
                *dw += x * dy;
            }
        });
    }
    let (taps, outputs, co) = (geometry.taps_by_inputs(), geometry.outputs, geometry.co());
    for_each_patch_matrix(geometry, rows, |rows, group, columns| {
        let pixels = rows.len() * geometry.output[1];
        gather(geometry, rows.clone(), group, x, columns);
        let patches = patches(geometry, &rows, x, columns, pixels);
        let dy = output(geometry, group, &rows, dy);
        let mut dw = view_mut([taps, outputs], [co, 1], &mut dw[group * outputs..]);
        general_mat_mul(1.0, &patches.t(), &dy, 1.0, &mut dw);
    });
}

/// Calls `work(rows, group, columns)` for each group and for `rows` in runs whose patches fit into
/// `columns`.
fn for_each_patch_matrix(
    geometry: &Geometry,
    rows: Range<usize>,
    mut work: impl FnMut(Range<usize>, usize, &mut [f32]),
) {
    let floats_per_row = geometry.output[1] * geometry.taps_by_inputs();
    let step = (COLUMN_FLOATS / floats_per_row).clamp(1, rows.len().max(1));
    let mut columns = vec![0.0; step * floats_per_row];
    for start in rows.clone().step_by(step) {
        for group in 0..geometry.config.groups {
            work(start..(start + step).min(rows.end), group, &mut columns);
        }
    }
}

fn view(dims: [usize; 2], strides: [usize; 2], data: &[f32]) -> ArrayView2<'_, f32> {
    // The callers' slices begin at the matrix's first element and reach to its last.
    ArrayView2::from_shape((dims[0], dims[1]).strides((strides[0], strides[1])), data)
        .expect("the matrix lies within its slice")
}

fn view_mut(dims: [usize; 2], strides: [usize; 2], data: &mut [f32]) -> ArrayViewMut2<'_, f32> {
    // As in `view`.
    ArrayViewMut2::from_shape((dims[0], dims[1]).strides((strides[0], strides[1])), data)
        .expect("the matrix lies within its slice")
}

/// The filters of one group, `[taps * inputs, outputs]`.
fn filters<'a>(geometry: &Geometry, group: usize, w: &'a [f32]) -> ArrayView2<'a, f32> {
    let (taps, outputs) = (geometry.taps_by_inputs(), geometry.outputs);
    view([taps, outputs], [geometry.co(), 1], &w[group * outputs..])
}

/// The output pixels of these rows in one group, `[pixels, outputs]`.
fn output<'a>(
    geometry: &Geometry,
    group: usize,
    rows: &Range<usize>,
    y: &'a [f32],
) -> ArrayView2<'a, f32> {
    let (width, outputs, co) = (geometry.output[1], geometry.outputs, geometry.co());
    let first = rows.start * width * co + group * outputs;
    view([rows.len() * width, outputs], [co, 1], &y[first..])
}

/// [`output`], to be written.
fn output_mut<'a>(
    geometry: &Geometry,
    group: usize,
    rows: &Range<usize>,
    y: &'a mut [f32],
) -> ArrayViewMut2<'a, f32> {
    let (width, outputs, co) = (geometry.output[1], geometry.outputs, geometry.co());
    let first = rows.start * width * co + group * outputs;
    view_mut([rows.len() * width, outputs], [co, 1], &mut y[first..])
}

/// The patches that [`gather`] has left, `[pixels, taps * inputs]`.
fn patches<'a>(
    geometry: &Geometry,
    rows: &Range<usize>,
    x: &'a [f32],
    columns: &'a [f32],
    pixels: usize,
) -> ArrayView2<'a, f32> {
    let taps = geometry.taps_by_inputs();
    let data = if geometry.is_pointwise() {
        &x[rows.start * geometry.output[1] * taps..]
    } else {
        columns
    };
    view([pixels, taps], [taps, 1], data)
}

/// Copies the patches of these rows and this group into `columns`; nothing for a pointwise
/// convolution, whose patches are the input.
fn gather(geometry: &Geometry, rows: Range<usize>, group: usize, x: &[f32], columns: &mut [f32]) {
    if geometry.is_pointwise() {
        return;
    }
    for_each_run(geometry, rows, group, |at, source, len| match source {
        Some(first) => columns[at..at + len].copy_from_slice(&x[first..first + len]),
        None => columns[at..at + len].fill(0.0),
    });
}

/// Adds `columns` to the pixels that [`gather`] would have read.
fn scatter(geometry: &Geometry, rows: Range<usize>, group: usize, columns: &[f32], dx: &mut [f32]) {
    if geometry.is_pointwise() {
        return;
    }
    for_each_run(geometry, rows, group, |at, target, len| {
        if let Some(first) = target {
            for (dx, column) in dx[first..first + len].iter_mut().zip(&columns[at..]) {
                *dx += column;
            }
        }
    });
}

/// Calls `visit(at, x_index, len)` for runs that are contiguous in both the patch matrix (from
/// element `at`) and the input (from `x_index`; `None` in the padding).
#[inline(always)]
fn for_each_run(
    geometry: &Geometry,
    rows: Range<usize>,
    group: usize,
    mut visit: impl FnMut(usize, Option<usize>, usize),
) {
    let Geometry {
        config,
        input: [height, width],
        kernel: [kernel_y, kernel_x],
        output: [out_height, out_width],
        inputs,
        ..
    } = *geometry;
    let ci = geometry.ci();
    // Neighboring taps are neighbors in memory unless dilation or groups tear them apart.
    let taps_per_run = if config.dilation[1] == 1 && config.groups == 1 {
        kernel_x
    } else {
        1
    };
    let mut at = 0;
    for row in rows {
        let (image, oy) = (row / out_height, row % out_height);
        for ox in 0..out_width {
            for ky in 0..kernel_y {
                let iy = (oy * config.stride[0] + ky * config.dilation[0])
                    .wrapping_sub(config.padding[0][0]);
                if iy >= height {
                    visit(at, None, kernel_x * inputs);
                    at += kernel_x * inputs;
                    continue;
                }
                let line = (image * height + iy) * width;
                for kx in (0..kernel_x).step_by(taps_per_run) {
                    // Columns of the padded input: the run, cut to the image.
                    let from = ox * config.stride[1] + kx * config.dilation[1];
                    let left = config.padding[1][0];
                    let start = from.clamp(left, left + width).min(from + taps_per_run);
                    let end = (from + taps_per_run).clamp(start, (left + width).max(start));
                    let (before, inside) = (start - from, end - start);
                    if before > 0 {
                        visit(at, None, before * inputs);
                    }
                    if inside > 0 {
                        let first = (line + start - left) * ci + group * inputs;
                        visit(at + before * inputs, Some(first), inside * inputs);
                    }
                    let after = taps_per_run - before - inside;
                    if after > 0 {
                        visit(at + (before + inside) * inputs, None, after * inputs);
                    }
                    at += taps_per_run * inputs;
                }
            }
        }
    }
}

/// Calls `visit(tap, x_index, y_index)` for each output pixel and each tap that falls on the image;
/// the indices are those of channel 0.
#[inline(always)]
fn for_each_tap(
    geometry: &Geometry,
    rows: Range<usize>,
    mut visit: impl FnMut(usize, usize, usize),
) {
    let Geometry {
        config,
        input: [height, width],
        kernel,
        output,
        ..
    } = *geometry;
    let (ci, co) = (geometry.ci(), geometry.co());
    for row in rows {
        let (image, oy) = (row / output[0], row % output[0]);
        for ox in 0..output[1] {
            for tap in 0..kernel[0] * kernel[1] {
                let (ky, kx) = (tap / kernel[1], tap % kernel[1]);
                let iy = (oy * config.stride[0] + ky * config.dilation[0])
                    .wrapping_sub(config.padding[0][0]);
                let ix = (ox * config.stride[1] + kx * config.dilation[1])
                    .wrapping_sub(config.padding[1][0]);
                if iy < height && ix < width {
                    let x_at = ((image * height + iy) * width + ix) * ci;
                    visit(tap, x_at, (row * output[1] + ox) * co);
                }
            }
        }
    }
}
