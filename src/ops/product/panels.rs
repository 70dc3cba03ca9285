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
    // A copy of variable length is a call in WebAssembly. Rows are read whole instead, into the next
    // one where they are short, and what is not theirs is masked.
    let mask: [u32; N] = std::array::from_fn(|j| if j < width { u32::MAX } else { 0 });
    for (k, to) in panel.iter_mut().enumerate() {
        let from = &source[k * stride..];
        match from.first_chunk::<N>() {
            Some(from) if width == N => *to = *from,
            Some(from) => {
                *to = std::array::from_fn(|j| f32::from_bits(from[j].to_bits() & mask[j]));
            }
            None => *to = std::array::from_fn(|j| if j < width { from[j] } else { 0.0 }),
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
