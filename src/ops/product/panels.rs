//! Columns of a matrix side by side as the blocks read them: `N` to a panel, row after row, the last
//! panel filled up with zeros.

use super::simd::WIDEST;

/// Copies the first `width` floats of each row, `stride` apart, into `panel`.
#[inline(always)]
pub(in super::super) fn pack_rows<const N: usize>(
    source: &[f32],
    stride: usize,
    width: usize,
    panel: &mut [[f32; N]],
) {
    for (k, to) in panel.iter_mut().enumerate() {
        let from = &source[k * stride..][..width];
        if width == N {
            to.copy_from_slice(from);
        } else {
            to[..width].copy_from_slice(from);
            to[width..].fill(0.0);
        }
    }
}

/// The same of a matrix that is stored by columns, each contiguous, `stride` apart.
#[inline(always)]
pub(in super::super) fn pack_columns<const N: usize>(
    source: &[f32],
    stride: usize,
    width: usize,
    panel: &mut [[f32; N]],
) {
    let len = panel.len();
    for j in 0..N {
        if j < width {
            let from = &source[j * stride..][..len];
            panel
                .iter_mut()
                .zip(from)
                .for_each(|(to, from)| to[j] = *from);
        } else {
            panel.iter_mut().for_each(|to| to[j] = 0.0);
        }
    }
}

/// Floats of the panels for `columns` columns over `inner` rows, whatever the panels' width.
pub(in super::super) fn panel_floats(inner: usize, columns: usize) -> usize {
    inner * columns.next_multiple_of(WIDEST)
}
