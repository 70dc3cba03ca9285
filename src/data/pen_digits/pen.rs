//! A hand and a pen: how a glyph's points are slanted, shaken and placed, and how ink runs onto
//! pixels. A stroke is a Catmull-Rom spline through its points (Catmull & Rom 1974) cut into short
//! straight pieces, each a capsule whose width and darkness follow the pen's pressure.

use crate::data::plane::{
    Point, add, coverage, direction, dot, length, mix, nearest_on_segment, rotate, scale, subtract,
};
use crate::rng::Rng;

use super::SIDE;
use super::glyphs::{Glyph, Stroke};

/// Straight pieces per span between two points of a stroke.
const PIECES: usize = 4;

/// The sheet: ink per pixel, 0 to 1, row by row.
pub(super) struct Ink([f32; SIDE * SIDE]);

/// A point of the pen's path: where, how wide (radius in pixels) and how dark.
#[derive(Clone, Copy)]
struct Touch {
    at: Point,
    radius: f32,
    darkness: f32,
}

impl Ink {
    /// An empty sheet.
    pub(super) fn new() -> Self {
        Self([0.0; SIDE * SIDE])
    }

    /// The ink of each pixel.
    pub(super) fn pixels(&self) -> &[f32] {
        &self.0
    }

    /// The pixels within `reach` of the box around `a` and `b`: index and center.
    fn around(a: Point, b: Point, reach: f32) -> impl Iterator<Item = (usize, Point)> {
        let range = move |axis: usize| {
            let low = (a[axis].min(b[axis]) - reach).max(0.0) as usize;
            let high = (a[axis].max(b[axis]) + reach + 1.0).max(0.0) as usize;
            low..high.min(SIDE)
        };
        let center = |x: usize, y: usize| [x as f32 + 0.5, y as f32 + 0.5];
        range(1).flat_map(move |y| range(0).map(move |x| (y * SIDE + x, center(x, y))))
    }

    /// Runs the pen straight from `a` to `b`.
    fn line(&mut self, a: Touch, b: Touch) {
        let reach = a.radius.max(b.radius) + 0.5;
        for (index, p) in Self::around(a.at, b.at, reach) {
            let (t, distance) = nearest_on_segment(p, a.at, b.at);
            let covered = coverage(distance - mix(a.radius, b.radius, t));
            let ink = covered * mix(a.darkness, b.darkness, t);
            self.0[index] = self.0[index].max(ink);
        }
    }
}

/// The way one image is written: drawn at random, wider at greater difficulty.
struct Hand {
    /// Maps glyph units (height 1, origin in the middle) to pixels: its two rows.
    rows: [Point; 2],
    /// How far points are shaken, in glyph units.
    jitter: f32,
    /// Amplitude, frequency and phases of the slow wave that bends the sheet.
    wave: (f32, f32, [f32; 2]),
    /// The pen's radius in pixels, and how much pressure changes it.
    radius: f32,
    pressure: f32,
}

impl Hand {
    fn random(difficulty: f32, rng: &mut Rng) -> Self {
        let tilt = 0.015 + 0.06 * difficulty;
        let slant = 0.1 + 0.35 * difficulty;
        let axis = direction(rng.between(-tilt, tilt));
        // People slant to the right more often than to the left.
        let shear = rng.between(-0.6, 1.0) * slant;
        let height = 20.0 * (1.0 - difficulty * rng.between(-0.1, 0.3));
        let width = height * (0.85 + rng.between(-0.25, 0.35) * (0.4 + difficulty));
        // Shear and stretch first, then turn: rows of R * [[width, -shear * height], [0, height]].
        let x = rotate([width, 0.0], axis);
        let y = rotate([-shear * height, height], axis);
        Self {
            rows: [[x[0], y[0]], [x[1], y[1]]],
            jitter: 0.008 + 0.05 * difficulty,
            wave: (
                rng.between(0.0, 0.08) * difficulty,
                rng.between(0.5, 1.2),
                [rng.uniform(), rng.uniform()],
            ),
            radius: rng.between(0.85, 1.2 + 0.9 * difficulty),
            pressure: rng.between(0.1, 0.4),
        }
    }

    /// Where this hand puts a point of a glyph, relative to the middle of the glyph.
    fn place(&self, (x, y): (i8, i8), rng: &mut Rng) -> Point {
        let mut shake = || rng.between(-self.jitter, self.jitter);
        let p = [
            f32::from(x) / 100.0 - 0.48 + shake(),
            f32::from(y) / 100.0 - 0.5 + shake(),
        ];
        let (amplitude, frequency, phases) = self.wave;
        let bend = |along: f32, phase: f32| amplitude * direction(along * frequency + phase)[1];
        let p = add(p, [bend(p[1], phases[0]), bend(p[0], phases[1])]);
        [dot(self.rows[0], p), dot(self.rows[1], p)]
    }

    /// The pen's path along a stroke. Corners stay corners: both copies move alike.
    fn path(&self, stroke: Stroke, rng: &mut Rng) -> Vec<Touch> {
        let mut points: Vec<Point> = Vec::with_capacity(stroke.len());
        for (i, &point) in stroke.iter().enumerate() {
            let corner = i > 0 && stroke[i - 1] == point;
            let placed = if corner {
                points[i - 1]
            } else {
                self.place(point, rng)
            };
            points.push(placed);
        }
        let phase = rng.uniform();
        spline(&points)
            .map(|(at, t)| {
                let press = self.pressure * direction(phase + 0.8 * t)[1];
                // The pen lands and lifts within the first and last tenth of a stroke.
                let lifted = 1.0 - (t.min(1.0 - t) * 10.0).min(1.0);
                Touch {
                    at,
                    radius: self.radius * (1.0 + 0.6 * press - 0.25 * lifted),
                    darkness: (0.95 + 0.4 * press - 0.2 * lifted).clamp(0.45, 1.0),
                }
            })
            .collect()
    }
}

/// Points along the smooth curve through `points`, each with its place on the way, 0 to 1.
fn spline(points: &[Point]) -> impl Iterator<Item = (Point, f32)> {
    let spans = points.len().saturating_sub(1);
    let at = move |i: usize| points[i.min(spans)];
    (0..=spans * PIECES).map(move |step| {
        let (i, t) = (step / PIECES, (step % PIECES) as f32 / PIECES as f32);
        let (p0, p1, p2, p3) = (at(i.saturating_sub(1)), at(i), at(i + 1), at(i + 2));
        let axis = |k: usize| {
            let (a, b, c, d) = (p0[k], p1[k], p2[k], p3[k]);
            let cubic = 3.0 * (b - c) + d - a;
            let square = 2.0 * a - 5.0 * b + 4.0 * c - d;
            b + 0.5 * t * (c - a + t * (square + t * cubic))
        };
        ([axis(0), axis(1)], step as f32 / (spans * PIECES) as f32)
    })
}

/// Writes `glyph` in a random hand, its center of mass within a pixel or so of the middle.
pub(super) fn write(glyph: Glyph, difficulty: f32, rng: &mut Rng, ink: &mut Ink) {
    let hand = Hand::random(difficulty, rng);
    let mut paths: Vec<_> = glyph.iter().map(|stroke| hand.path(stroke, rng)).collect();
    let drift = 0.5 + 2.0 * difficulty;
    let wanted = [rng.between(-drift, drift), rng.between(-drift, drift)];
    let middle = add([SIDE as f32 / 2.0; 2], wanted);
    let shift = subtract(middle, center_of_mass(&paths));
    for touch in paths.iter_mut().flatten() {
        touch.at = add(touch.at, shift);
    }
    for pair in paths.iter().flat_map(|path| path.windows(2)) {
        ink.line(pair[0], pair[1]);
    }
}

/// The strokes' center, each piece weighing its length.
fn center_of_mass(paths: &[Vec<Touch>]) -> Point {
    let mut sum = [0.0; 2];
    let mut weight = 1e-6;
    for pair in paths.iter().flat_map(|path| path.windows(2)) {
        let piece = length(subtract(pair[1].at, pair[0].at));
        sum = add(sum, scale(add(pair[0].at, pair[1].at), piece / 2.0));
        weight += piece;
    }
    scale(sum, 1.0 / weight)
}

/// A short stroke that belongs to no digit.
pub(super) fn stray_stroke(rng: &mut Rng, ink: &mut Ink) {
    let side = SIDE as f32;
    let from = [rng.between(0.0, side), rng.between(0.0, side)];
    let to = add(
        from,
        scale(direction(rng.uniform()), rng.between(4.0, 12.0)),
    );
    let (radius, darkness) = (rng.between(0.6, 1.4), rng.between(0.5, 1.0));
    let touch = |at| Touch {
        at,
        radius,
        darkness,
    };
    ink.line(touch(from), touch(to));
}

/// Takes the ink off a disc somewhere in the middle.
pub(super) fn erase_disc(rng: &mut Rng, ink: &mut Ink) {
    let side = SIDE as f32;
    let mut place = || rng.between(0.25 * side, 0.75 * side);
    let center = [place(), place()];
    let radius = rng.between(2.0, 4.0);
    for (index, p) in Ink::around(center, center, radius + 0.5) {
        ink.0[index] *= 1.0 - coverage(length(subtract(p, center)) - radius);
    }
}
