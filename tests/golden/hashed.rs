//! The numbers that golden files are made from, the same as hashed.py computes.

/// `count` numbers in -1..1, as `hashed` of hashed.py.
pub(crate) fn hashed(stream: u64, count: usize) -> Vec<f32> {
    let one = |index: usize| {
        let mut x = (index as u64 + stream * 0x9E37_79B9) as u32;
        for (shift, factor) in [(16, 0x7FEB_352D), (15, 0x846C_A68B), (16, 1)] {
            x ^= x >> shift;
            x = x.wrapping_mul(factor);
        }
        (f64::from(x >> 8) / f64::from(1 << 23) - 1.0) as f32
    };
    (0..count).map(one).collect()
}
