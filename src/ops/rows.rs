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

/// Four rows of equal length.
pub(super) fn quarters(rows: &[f32]) -> [&[f32]; 4] {
    let (front, back) = rows.split_at(rows.len() / 2);
    let (a, b) = front.split_at(front.len() / 2);
    let (c, d) = back.split_at(back.len() / 2);
    [a, b, c, d]
}
