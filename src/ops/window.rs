//! Sliding windows along one axis, as convolution and pooling share them: how many fit, and which
//! sizes are refused.

use crate::error::{Error, Result};

/// Output extent of windows of `size` taps, `dilation` apart, moved by `stride` over `input`
/// elements with `padding` = (before, after).
///
/// # Errors
/// When an extent is zero, or no window fits.
pub(super) fn output_extent(
    place: &str,
    input: usize,
    size: usize,
    stride: usize,
    padding: [usize; 2],
    dilation: usize,
) -> Result<usize> {
    if input == 0 || size == 0 || stride == 0 || dilation == 0 {
        let found = format!("input {input}, window {size}, stride {stride}, dilation {dilation}");
        return Err(Error::mismatch(place, "extents of at least 1", found));
    }
    let span = (size - 1) * dilation + 1;
    let padded = input + padding[0] + padding[1];
    if padded < span {
        let expected =
            format!("a padded input of at least {span} (window {size}, dilation {dilation})");
        return Err(Error::mismatch(place, expected, padded.to_string()));
    }
    Ok((padded - span) / stride + 1)
}

/// How many chunks a reduction of `length` steps is cut into, so that `threads` threads per chunk
/// fill a GPU while each still has `least` steps to do and the partial results stay few.
/// Returns the length of a chunk and their number.
pub(super) fn split_reduction(
    length: usize,
    least: usize,
    threads: usize,
    outputs: usize,
) -> (usize, usize) {
    /// Threads that keep a large GPU busy.
    const THREADS: usize = 8192;
    /// Chunks that the second pass sums one after another.
    const MOST_CHUNKS: usize = 256;
    /// Words of partial results: 16 MiB.
    const PARTIAL_WORDS: usize = 1 << 22;
    let wanted = THREADS.div_ceil(threads.max(1)).min(MOST_CHUNKS);
    let allowed = (PARTIAL_WORDS / outputs.max(1)).min(length / least.max(1));
    let chunk = length.div_ceil(wanted.min(allowed).max(1)).max(1);
    (chunk, length.div_ceil(chunk).max(1))
}
