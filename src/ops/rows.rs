//! Loops over rows of channels on the CPU. Sums take four rows at a time, so that a sum waits for memory
//! once in four additions, and rounds less often. Rows too short for a loop of their own are taken many
//! at a time.

/// Floats that a short row is repeated to.
const REPEATED: usize = 128;

/// `y[o, r, i] = f(a[o, r, i], b[o, i])` for `[outer, reduce, inner]`.
pub(super) fn zip_rows(
    [outer, reduce, inner]: [usize; 3],
    a: &[f32],
    b: &[f32],
    y: &mut [f32],
    f: impl Fn(f32, f32) -> f32,
) {
    if outer * reduce * inner == 0 {
        return;
    }
    let repeats = (REPEATED / inner).clamp(1, reduce);
    let mut repeated = [0.0; REPEATED];
    let blocks = y
        .chunks_exact_mut(reduce * inner)
        .zip(a.chunks_exact(reduce * inner));
    for ((y, a), b) in blocks.zip(b.chunks_exact(inner)) {
        let row = match repeats {
            1 => b,
            _ => {
                let rows = repeated.chunks_exact_mut(inner).take(repeats);
                rows.for_each(|row| row.copy_from_slice(b));
                &repeated[..repeats * inner]
            }
        };
        for (y, a) in y.chunks_mut(row.len()).zip(a.chunks(row.len())) {
            for ((y, a), b) in y.iter_mut().zip(a).zip(row) {
                *y = f(*a, *b);
            }
        }
    }
}

/// Adds each row of `x`, as long as `y`, to `y`.
pub(super) fn add_rows(x: &[f32], y: &mut [f32]) {
    let width = y.len();
    let fours = x.chunks_exact(4 * width);
    for row in fours.remainder().chunks_exact(width) {
        y.iter_mut().zip(row).for_each(|(y, x)| *y += x);
    }
    for four in fours {
        let [a, b, c, d] = quarters(four);
        for ((((y, a), b), c), d) in y.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *y += (a + b) + (c + d);
        }
    }
}

/// Four rows of equal length.
pub(super) fn quarters(rows: &[f32]) -> [&[f32]; 4] {
    let (front, back) = rows.split_at(rows.len() / 2);
    let (a, b) = front.split_at(front.len() / 2);
    let (c, d) = back.split_at(back.len() / 2);
    [a, b, c, d]
}
