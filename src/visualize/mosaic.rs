//! Many small pictures of one size as one, in rows, with a line between them.

use crate::error::Result;
use crate::tensor::Tensor;

use super::Picture;

/// Puts `tiles`, each `[c, h, w] = size`, `across` in a row. Between tiles, and where the last row ends, the
/// picture is its neutral value: zero if `signed`, else a middle gray.
///
/// # Errors
/// When a tile is not of that size.
pub(super) fn mosaic(
    title: String,
    tiles: &[Vec<f32>],
    [c, h, w]: [usize; 3],
    across: usize,
    signed: bool,
) -> Result<Picture> {
    let down = tiles.len().div_ceil(across).max(1);
    let (height, width) = (down * (h + 1) - 1, across * (w + 1) - 1);
    let neutral = if signed { 0.0 } else { 0.5 };
    let mut data = vec![neutral; c * height * width];
    for (index, tile) in tiles.iter().enumerate() {
        let (top, left) = (index / across * (h + 1), index % across * (w + 1));
        for (row, line) in tile.chunks_exact(w).enumerate() {
            let (channel, y) = (row / h, top + row % h);
            data[(channel * height + y) * width + left..][..w].copy_from_slice(line);
        }
    }
    Picture::new(title, &Tensor::new([c, height, width], data)?, signed)
}
