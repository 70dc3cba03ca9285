//! The CPU twins of max-pooling: tap by tap over all channels, except where windows are two by two and
//! apart, whose four pixels are taken at once, four channels at a time. The last four may overlap those
//! before, which then get the same values again.

use crate::program::Args;

use super::super::pool2d::Pooling;

/// Channels at a time.
const LANES: usize = 4;

/// The first channels of runs of four that cover `channels`, of which there are that many at least.
fn runs(channels: usize) -> impl Iterator<Item = usize> {
    let last = channels - LANES;
    (0..last).step_by(LANES).chain([last])
}

/// Four neighbors.
#[inline(always)]
fn four<T: Copy + Default>(values: &[T], at: usize) -> [T; LANES] {
    let values = &values[at..at + LANES];
    [values[0], values[1], values[2], values[3]]
}

/// Whether a halving can be taken four channels at a time.
fn is_wide_halving(pooling: &Pooling) -> bool {
    pooling.is_halving() && pooling.channels >= LANES
}

/// Whether `x` takes the place of the best so far: it is larger, or the first NaN.
#[inline(always)]
fn wins(x: f32, best: f32) -> bool {
    // Not the same as `x > best`: true if one is NaN.
    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "NaN is meant to win")]
    let is_above = !(x <= best);
    is_above & !best.is_nan()
}

/// The first maximum of each window; reads x; writes the switches.
pub(super) fn switches(pooling: &Pooling, args: &mut Args<'_>) {
    let (x, channels) = (args.read(0), pooling.channels);
    if is_wide_halving(pooling) {
        let switches = args.write_words(0);
        for (x_at, y_at) in pooling.quads() {
            let [a, b, c, d] = pooling.quad(x, x_at);
            for first in runs(channels) {
                let [a, b, c, d] = [
                    four(a, first),
                    four(b, first),
                    four(c, first),
                    four(d, first),
                ];
                let found: [u32; LANES] = std::array::from_fn(|i| {
                    let right = wins(b[i], a[i]);
                    let (best, tap) = if right { (b[i], 1) } else { (a[i], 0) };
                    let below = wins(c[i], best);
                    let (best, tap) = if below { (c[i], 2) } else { (best, tap) };
                    if wins(d[i], best) { 3 } else { tap }
                });
                switches[y_at + first..][..LANES].copy_from_slice(&found);
            }
        }
        return;
    }
    let (switches, [best]) = args.write_words_with_scratch(0, [channels]);
    let mut window = usize::MAX;
    pooling.for_each_tap(|tap, x_at, y_at| {
        let is_first = window != y_at;
        window = y_at;
        let switches = &mut switches[y_at..y_at + channels];
        let x = &x[x_at..x_at + channels];
        for ((switch, best), &x) in switches.iter_mut().zip(&mut *best).zip(x) {
            let wins = is_first | wins(x, *best);
            *best = if wins { x } else { *best };
            *switch = if wins { tap } else { *switch };
        }
    });
}

/// The elements at the switches; reads x, switches; writes y.
pub(super) fn take(pooling: &Pooling, args: &mut Args<'_>) {
    let (x, switches, channels) = (args.read(0), args.read_words(1), pooling.channels);
    let y = args.write(0);
    if is_wide_halving(pooling) {
        for (x_at, y_at) in pooling.quads() {
            let [a, b, c, d] = pooling.quad(x, x_at);
            for first in runs(channels) {
                let [a, b, c, d] = [
                    four(a, first),
                    four(b, first),
                    four(c, first),
                    four(d, first),
                ];
                let tap = four(switches, y_at + first);
                let found: [f32; LANES] = std::array::from_fn(|i| {
                    let found = if tap[i] == 0 { a[i] } else { 0.0 };
                    let found = if tap[i] == 1 { b[i] } else { found };
                    let found = if tap[i] == 2 { c[i] } else { found };
                    if tap[i] == 3 { d[i] } else { found }
                });
                y[y_at + first..][..LANES].copy_from_slice(&found);
            }
        }
        return;
    }
    y.fill(0.0);
    pooling.for_each_tap(|tap, x_at, y_at| {
        let pairs = x[x_at..x_at + channels].iter().zip(&switches[y_at..]);
        for (y, (x, switch)) in y[y_at..y_at + channels].iter_mut().zip(pairs) {
            *y = if *switch == tap { *x } else { *y };
        }
    });
}

/// The elements put back to the switches; reads dy, switches; writes dx.
pub(super) fn unpool(pooling: &Pooling, args: &mut Args<'_>) {
    let (dy, switches, channels) = (args.read(0), args.read_words(1), pooling.channels);
    let dx = args.write(0);
    if is_wide_halving(pooling) {
        if !pooling.covers_input() {
            dx.fill(0.0);
        }
        for (x_at, y_at) in pooling.quads() {
            let quad = pooling.quad_mut(dx, x_at);
            for (tap, dx) in (0..).zip(quad) {
                for first in runs(channels) {
                    let (dy, switch) = (four(dy, y_at + first), four(switches, y_at + first));
                    let back: [f32; LANES] =
                        std::array::from_fn(|i| if switch[i] == tap { dy[i] } else { 0.0 });
                    dx[first..][..LANES].copy_from_slice(&back);
                }
            }
        }
        return;
    }
    dx.fill(0.0);
    pooling.for_each_tap(|tap, x_at, y_at| {
        let pairs = dy[y_at..y_at + channels].iter().zip(&switches[y_at..]);
        for (dx, (dy, switch)) in dx[x_at..x_at + channels].iter_mut().zip(pairs) {
            *dx += if *switch == tap { *dy } else { 0.0 };
        }
    });
}
