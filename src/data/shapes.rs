//! The color dataset: 32x32 pictures of an object before a background, in ten classes: seven shapes
//! and three textures. A shape may have any colors; a texture may have any outline; so neither color
//! nor place tells the class. The outlines are signed distances (`outline`), the colors are in
//! `palette`; this file composes a scene and renders it.

mod outline;
mod palette;

use crate::rng::Rng;

use super::DatasetInfo;
use super::generated::{self, Recipe, beyond, noise};
use super::plane::{Point, coverage, direction, dot, length, rotate, scale, subtract, to_byte};

use outline::{Outline, Texture};
use palette::{Color, Palette, blend};

/// Height and width of an image.
const SIDE: usize = 32;

const RECIPE: Recipe = Recipe {
    id: "shapes",
    name: "Shapes and textures",
    doc: "Colored shapes and textures that convscope draws before varied backgrounds: 32x32, color.",
    classes: &[
        "circle", "square", "triangle", "star", "cross", "ring", "heart", "stripes", "checker",
        "dots",
    ],
    shape: [3, SIDE, SIDE],
    draw,
};

pub(super) const INFO: DatasetInfo = DatasetInfo {
    id: RECIPE.id,
    name: RECIPE.name,
    doc: RECIPE.doc,
    fields: generated::fields,
    generate: |values| generated::generate(&RECIPE, values),
};

/// What an object looks like, by class: its outline and its texture.
fn look(class: usize, rng: &mut Rng) -> (Outline, Texture) {
    const SHAPES: [Outline; 7] = [
        Outline::Circle,
        Outline::Square,
        Outline::Triangle,
        Outline::Star,
        Outline::Cross,
        Outline::Ring,
        Outline::Heart,
    ];
    const TEXTURES: [Texture; 3] = [Texture::Stripes, Texture::Checker, Texture::Dots];
    // Textured objects are as roomy as can be, or their texture could not be seen.
    const ROOMY: [Outline; 3] = [Outline::Circle, Outline::Square, Outline::Heart];
    match SHAPES.get(class) {
        Some(&outline) => (outline, Texture::Plain),
        None => (
            ROOMY[rng.below(ROOMY.len())],
            TEXTURES[class - SHAPES.len()],
        ),
    }
}

/// A thing in the picture: where it is, how large and turned, and how it is painted.
struct Object {
    outline: Outline,
    texture: Texture,
    center: Point,
    /// Pixels per unit of the outline.
    radius: f32,
    /// Cosine and sine of its turn, and of its texture's.
    axis: Point,
    grain: Point,
    /// Periods of the texture per unit.
    frequency: f32,
    inks: [Color; 2],
}

impl Object {
    fn random(class: usize, difficulty: f32, inks: [Color; 2], rng: &mut Rng) -> Self {
        let (outline, texture) = look(class, rng);
        let radius = rng.between(12.5 - 3.5 * difficulty, 13.5 - difficulty);
        let room = 1.0 + 4.0 * difficulty;
        let middle = SIDE as f32 / 2.0;
        let turn = 0.02 + 0.1 * difficulty;
        Self {
            outline,
            texture,
            center: [
                middle + rng.between(-room, room),
                middle + rng.between(-room, room),
            ],
            radius,
            axis: direction(rng.between(-turn, turn)),
            grain: direction(rng.uniform()),
            frequency: rng.between(0.1, 0.15) * radius,
            inks,
        }
    }

    /// Signed distance in pixels from `p` to its edge.
    fn distance(&self, p: Point) -> f32 {
        self.outline.distance(self.local(p)) * self.radius
    }

    fn local(&self, p: Point) -> Point {
        let [cos, sin] = self.axis;
        rotate(
            scale(subtract(p, self.center), 1.0 / self.radius),
            [cos, -sin],
        )
    }

    /// Its color at `p`: a texture of two inks, or one ink running into the other; lit from above.
    fn color(&self, p: Point) -> Color {
        let q = self.local(p);
        let pixel = self.frequency / self.radius;
        let t = match self
            .texture
            .at(scale(rotate(q, self.grain), self.frequency), pixel)
        {
            Some(t) => t,
            None => 0.35 * (0.5 + 0.5 * dot(q, self.grain)).clamp(0.0, 1.0),
        };
        let light = 1.0 - 0.12 * q[1];
        blend(self.inks[0], self.inks[1], t).map(|channel| channel * light)
    }
}

/// All that is in one picture.
struct Scene {
    grounds: [Color; 2],
    /// Direction in which the background's colors run, per pixel.
    slope: Point,
    clutter: Vec<(Point, f32, Color)>,
    object: Object,
    /// From where the object's shadow is displaced, and how dark it is.
    shadow: (Point, f32),
}

impl Scene {
    fn random(class: usize, difficulty: f32, rng: &mut Rng) -> Self {
        let palette = Palette::random(difficulty, rng);
        let object = Object::random(class, difficulty, palette.inks, rng);
        let side = SIDE as f32;
        let speck = |rng: &mut Rng| {
            let center = [rng.between(0.0, side), rng.between(0.0, side)];
            (
                center,
                rng.between(0.8, 1.5 + 2.0 * difficulty),
                palette::any(rng),
            )
        };
        let specks = rng.below(1 + (6.0 * difficulty) as usize);
        Self {
            grounds: palette.grounds,
            slope: scale(direction(rng.uniform()), 1.0 / side),
            clutter: (0..specks).map(|_| speck(rng)).collect(),
            object,
            shadow: (
                scale(direction(rng.between(0.05, 0.45)), rng.between(1.0, 2.5)),
                rng.between(0.15, 0.4),
            ),
        }
    }

    /// The color seen at `p`: background, specks, the object's soft shadow, the object.
    fn color(&self, p: Point) -> Color {
        let middle = [SIDE as f32 / 2.0; 2];
        let t = (0.5 + dot(subtract(p, middle), self.slope)).clamp(0.0, 1.0);
        let mut color = blend(self.grounds[0], self.grounds[1], t);
        for &(center, radius, ink) in &self.clutter {
            let covered = coverage(length(subtract(p, center)) - radius);
            color = blend(color, ink, covered);
        }
        let (offset, darkness) = self.shadow;
        let depth = self.object.distance(subtract(p, offset));
        let shade = darkness * (0.5 - depth / 4.0).clamp(0.0, 1.0);
        color = color.map(|channel| channel * (1.0 - shade));
        let covered = coverage(self.object.distance(p));
        if covered > 0.0 {
            blend(color, self.object.color(p), covered)
        } else {
            color
        }
    }
}

/// Draws an object of `class`; difficulty brings smaller, turned objects, less contrast, specks and
/// noise.
fn draw(class: usize, difficulty: f32, rng: &mut Rng, image: &mut [u8]) {
    let noisy = beyond(difficulty, 0.5);
    // Its square: a small network should still do well halfway.
    let difficulty = difficulty * difficulty;
    let scene = Scene::random(class, difficulty, rng);
    let deviation = 0.04 * difficulty + 0.1 * noisy;
    for (i, pixel) in image.chunks_exact_mut(3).enumerate() {
        let p = [(i % SIDE) as f32 + 0.5, (i / SIDE) as f32 + 0.5];
        for (byte, channel) in pixel.iter_mut().zip(scene.color(p)) {
            *byte = to_byte(channel + deviation * noise(rng.bits()));
        }
    }
}
