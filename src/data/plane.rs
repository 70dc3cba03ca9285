//! Geometry in the picture plane that the drawn datasets share: points, angles in turns, distances,
//! edges. Everything here is built from operations that IEEE 754 rounds exactly (`+ - * /`, `sqrt`,
//! rounding), never from the platform's `sin` or `exp`, so that a seed draws the same bytes
//! natively and in the browser.

use std::f32::consts::FRAC_PI_2;

/// `[x, y]`, with y growing downwards.
pub(super) type Point = [f32; 2];

/// `[cos, sin]` of an angle in turns, to about 1e-5.
pub(super) fn direction(turns: f32) -> Point {
    // Taylor series at a quarter of the angle, at most pi / 4, and the angle doubled twice.
    let x = (turns - turns.round()) * FRAC_PI_2;
    let s = x * x;
    let mut cos = 1.0 - s / 2.0 * (1.0 - s / 12.0 * (1.0 - s / 30.0 * (1.0 - s / 56.0)));
    let mut sin = x * (1.0 - s / 6.0 * (1.0 - s / 20.0 * (1.0 - s / 42.0)));
    for _ in 0..2 {
        (cos, sin) = (cos * cos - sin * sin, 2.0 * sin * cos);
    }
    [cos, sin]
}

/// `p` rotated by the angle whose cosine and sine are `axis`.
pub(super) fn rotate([x, y]: Point, [cos, sin]: Point) -> Point {
    [x * cos - y * sin, x * sin + y * cos]
}

/// `a + b`.
pub(super) fn add(a: Point, b: Point) -> Point {
    [a[0] + b[0], a[1] + b[1]]
}

/// `a - b`.
pub(super) fn subtract(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

/// `p` times a number.
pub(super) fn scale(p: Point, factor: f32) -> Point {
    [p[0] * factor, p[1] * factor]
}

/// Inner product.
pub(super) fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

/// Euclidean length; `hypot` is the platform's, this is exact arithmetic.
pub(super) fn length(p: Point) -> f32 {
    dot(p, p).sqrt()
}

/// From `a` at 0 to `b` at 1.
pub(super) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// How far along the segment from `a` to `b` (0..1) the point nearest to `p` is, and how far away.
pub(super) fn nearest_on_segment(p: Point, a: Point, b: Point) -> (f32, f32) {
    let (ap, ab) = (subtract(p, a), subtract(b, a));
    let t = (dot(ap, ab) / dot(ab, ab).max(1e-12)).clamp(0.0, 1.0);
    (t, length(subtract(ap, scale(ab, t))))
}

/// How much of a pixel lies inside an edge whose signed distance from its center is `distance`
/// pixels, inside being negative.
pub(super) fn coverage(distance: f32) -> f32 {
    (0.5 - distance).clamp(0.0, 1.0)
}

/// A 0..1 value as a byte.
pub(super) fn to_byte(value: f32) -> u8 {
    // Saturates outside 0..1; adding a half and truncating rounds to nearest.
    (value * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::{direction, length, nearest_on_segment};

    #[test]
    fn direction_is_the_unit_circle() {
        for step in -40..40 {
            let turns = step as f32 / 16.0;
            let [cos, sin] = direction(turns);
            let angle = f64::from(turns) * std::f64::consts::TAU;
            assert!(
                (f64::from(cos) - angle.cos()).abs() < 2e-5,
                "cos of {turns} turns"
            );
            assert!(
                (f64::from(sin) - angle.sin()).abs() < 2e-5,
                "sin of {turns} turns"
            );
            assert!((length([cos, sin]) - 1.0).abs() < 2e-5);
        }
    }

    #[test]
    fn the_nearest_point_of_a_segment_is_found() {
        for (p, t, distance) in [
            ([5.0, 2.0], 0.5, 2.0),
            ([-3.0, 4.0], 0.0, 5.0),
            ([13.0, 4.0], 1.0, 5.0),
        ] {
            assert_eq!(
                nearest_on_segment(p, [0.0, 0.0], [10.0, 0.0]),
                (t, distance)
            );
        }
        assert_eq!(
            nearest_on_segment([3.0, 4.0], [0.0; 2], [0.0; 2]),
            (0.0, 5.0)
        );
    }
}
