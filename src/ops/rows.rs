//! Sums over rows on the CPU. Four rows are taken at a time, so that a sum waits for memory once in
//! four additions, and rounds less often.

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

/// The sum of `f` over pairs of elements of two rows of equal length, in eight sums side by side, which a
/// processor adds at once.
pub(super) fn sum_pairs(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0; 8];
    let (eights_of_a, eights_of_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = eights_of_a.remainder().iter().zip(eights_of_b.remainder());
    let rest: f32 = rest.map(|(a, b)| f(*a, *b)).sum();
    for (a, b) in eights_of_a.zip(eights_of_b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += f(*a, *b);
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Four rows of equal length.
pub(super) fn quarters(rows: &[f32]) -> [&[f32]; 4] {
    let (front, back) = rows.split_at(rows.len() / 2);
    let (a, b) = front.split_at(front.len() / 2);
    let (c, d) = back.split_at(back.len() / 2);
    [a, b, c, d]
}
