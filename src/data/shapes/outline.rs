//! Outlines as signed distances (negative inside), after the collection of Quilez, "2D distance
//! functions": each fits a circle of radius 1. Textures as periodic functions of the plane.

use crate::data::plane::{Point, coverage, dot, length, nearest_on_segment, scale, subtract};

/// The edge of an object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outline {
    Circle,
    Square,
    Triangle,
    Star,
    Cross,
    Ring,
    Heart,
}

/// How the inside of an object is painted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Texture {
    /// No texture.
    Plain,
    Stripes,
    Checker,
    Dots,
}

impl Outline {
    /// Signed distance from `p` to this outline around the origin.
    pub(super) fn distance(self, p: Point) -> f32 {
        // All outlines are symmetric about the vertical axis.
        let q = [p[0].abs(), p[1]];
        match self {
            Self::Circle => length(p) - 0.9,
            Self::Square => rectangle(q, [0.76, 0.76]),
            Self::Triangle => polygon(q, &TRIANGLE),
            Self::Star => polygon(q, &STAR),
            Self::Cross => rectangle(q, [0.28, 0.92]).min(rectangle(q, [0.92, 0.28])),
            Self::Ring => (length(p) - 0.68).abs() - 0.24,
            Self::Heart => heart(q),
        }
    }
}

/// Right halves of the outlines with corners, from the top to the bottom of the axis.
const TRIANGLE: [Point; 3] = [[0.0, -0.95], [0.95, 0.7], [0.0, 0.7]];
const STAR: [Point; 6] = [
    [0.0, -1.0],
    [0.2586, -0.356],
    [0.9511, -0.309],
    [0.4185, 0.136],
    [0.5878, 0.809],
    [0.0, 0.44],
];

/// Distance to the axis-aligned rectangle with these half sides.
fn rectangle(p: Point, half: Point) -> f32 {
    let d = subtract([p[0].abs(), p[1].abs()], half);
    length([d[0].max(0.0), d[1].max(0.0)]) + d[0].max(d[1]).min(0.0)
}

/// Distance to the polygon of which `half` is the part right of the axis; `p` is right of it too.
/// A point is inside if a ray to the right crosses the boundary an odd number of times.
fn polygon(p: Point, half: &[Point]) -> f32 {
    let mut distance = f32::INFINITY;
    let mut inside = false;
    for edge in half.windows(2) {
        let (a, b) = (edge[0], edge[1]);
        distance = distance.min(nearest_on_segment(p, a, b).1);
        if (a[1] > p[1]) != (b[1] > p[1]) {
            let x = a[0] + (p[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
            inside ^= p[0] < x;
        }
    }
    if inside { -distance } else { distance }
}

/// Distance to a heart: two quarter discs over a square that stands on its corner.
fn heart(q: Point) -> f32 {
    // Quilez' heart has its tip at the origin and its top at about 1.1, y upwards.
    let size = 1.55;
    let p = [q[0] / size, (0.85 - q[1]) / size];
    let root = if p[0] + p[1] > 1.0 {
        length(subtract(p, [0.25, 0.75])) - 0.353_553_4
    } else {
        let ridge = 0.5 * (p[0] + p[1]).max(0.0);
        let (top, side) = (subtract(p, [0.0, 1.0]), subtract(p, [ridge, ridge]));
        let nearest = dot(top, top).min(dot(side, side)).sqrt();
        if p[0] > p[1] { nearest } else { -nearest }
    };
    root * size
}

impl Texture {
    /// Which of two inks is seen at `p`, 0 to 1 (between at edges), for a texture of period 1 whose
    /// pixels are `pixel` wide; none if the object has no texture.
    pub(super) fn at(self, p: Point, pixel: f32) -> Option<f32> {
        // Signed distance to the edge between the halves of a period, in pixels.
        let half = |x: f32| ((x - x.floor() - 0.5).abs() - 0.25) / pixel;
        let ink = match self {
            Self::Plain => return None,
            Self::Stripes => coverage(half(p[0])),
            Self::Checker => {
                // Half the frequency: a checkerboard's squares are then as wide as the stripes.
                let [a, b] = scale(p, 0.75).map(|x| coverage(half(x)));
                a * b + (1.0 - a) * (1.0 - b)
            }
            Self::Dots => {
                let q = p.map(|x| x - x.floor() - 0.5);
                coverage((length(q) - 0.3) / pixel)
            }
        };
        Some(ink)
    }
}

#[cfg(test)]
mod tests {
    use super::{Outline, Texture};

    #[test]
    fn outlines_hold_their_middle_and_stay_in_the_unit_circle() {
        for (outline, inside, outside) in [
            (Outline::Circle, [0.0, 0.0], [0.0, 0.95]),
            (Outline::Square, [0.7, -0.7], [0.8, 0.0]),
            (Outline::Triangle, [0.0, -0.8], [0.5, -0.5]),
            (Outline::Star, [0.0, -0.9], [0.5, -0.6]),
            (Outline::Cross, [0.9, 0.0], [0.5, 0.5]),
            (Outline::Ring, [0.68, 0.0], [0.0, 0.0]),
            (Outline::Heart, [0.3, -0.4], [0.0, -0.8]),
        ] {
            assert!(outline.distance(inside) < 0.0, "{outline:?} at {inside:?}");
            assert!(
                outline.distance(outside) > 0.0,
                "{outline:?} at {outside:?}"
            );
            for corner in [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]] {
                assert!(outline.distance(corner) > 0.2, "{outline:?} at {corner:?}");
            }
        }
    }

    #[test]
    fn textures_repeat() {
        for texture in [Texture::Stripes, Texture::Checker, Texture::Dots] {
            // 4 is a whole number of periods of all three.
            let at = |x, y| texture.at([x, y], 0.1).unwrap();
            assert!((at(0.3, 0.1) - at(4.3, -3.9)).abs() < 1e-4, "{texture:?}");
        }
        assert_eq!(Texture::Plain.at([0.0, 0.0], 0.1), None);
    }
}
