//! How large the tile of results is that one thread keeps in registers: the cost model behind the
//! unrolled kernels. A tile of `b` along an axis loads about [`OVERHEAD`] elements that a larger one
//! would share, and what it covers past the axis' end is wasted.

/// What a tile costs besides its elements, measured on SwiftShader: at 2, tiles of 8 win on 32 pixels,
/// of 7 on 28 and 14, of 10 on 10 (`benches/README.md`).
const OVERHEAD: usize = 2;

/// Multiply-adds that an unrolled loop body may have; more make shaders slow to compile and spill.
pub(super) const MOST_UNROLLED: usize = 400;

/// Channels of a tile: with as many pixels, 64 sums per thread.
pub(super) const MOST_CHANNELS: usize = 8;

/// The cheapest tile of at most `most` along an axis of `extent`.
pub(super) fn tile(extent: usize, most: usize) -> usize {
    let cost = |tile: &usize| (extent.div_ceil(*tile) * (tile + OVERHEAD), *tile);
    (1..=most.max(1)).min_by_key(cost).unwrap_or(1)
}

/// Pixels of a tile with `others` multiply-adds per pixel, of `most` in all.
pub(super) fn most_pixels(others: usize, most: usize) -> usize {
    (most / others.max(1)).clamp(1, 10)
}

#[cfg(test)]
mod tests {
    use super::tile;

    #[test]
    fn tiles_waste_little() {
        for (extent, most, expected) in [
            (32, 10, 8),
            (28, 10, 7),
            (14, 10, 7),
            (10, 10, 10),
            (6, 8, 6),
            (10, 8, 5),
            (120, 8, 8),
            (1, 8, 1),
        ] {
            assert_eq!(tile(extent, most), expected, "{extent} by at most {most}");
        }
    }
}
