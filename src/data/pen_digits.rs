//! The default dataset: digits drawn with a model of a pen, in the manner of MNIST (white on black,
//! 28x28, centered by mass), so that the page has something to learn from at once and offline. The
//! digits' forms are in `glyphs`, the hand and the pen in `pen`; this file adds what spoils an image.

// Laid out by hand: a stroke is a line or two, not a column of points.
#[rustfmt::skip]
mod glyphs;
mod pen;

use crate::rng::Rng;

use super::DatasetInfo;
use super::generated::{self, Recipe, beyond, noise};
use super::plane::to_byte;

use pen::Ink;

/// Height and width of an image.
const SIDE: usize = 28;

const RECIPE: Recipe = Recipe {
    id: "pen-digits",
    name: "Pen digits",
    doc: "Handwritten-looking digits that convscope draws with a model of a pen: 28x28, gray.",
    classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    shape: [1, SIDE, SIDE],
    draw,
};

pub(super) const INFO: DatasetInfo = DatasetInfo {
    id: RECIPE.id,
    name: RECIPE.name,
    doc: RECIPE.doc,
    fields: generated::fields,
    generate: |values| generated::generate(&RECIPE, values),
};

/// Draws digit `class`; above half difficulty with stray strokes, gaps and noise.
fn draw(class: usize, difficulty: f32, rng: &mut Rng, image: &mut [u8]) {
    let variants = glyphs::GLYPHS[class];
    let glyph = variants[rng.below(variants.len())];
    let mut ink = Ink::new();
    let spoiled = beyond(difficulty, 0.5);
    pen::write(glyph, difficulty, rng, &mut ink);
    if rng.uniform() < 0.7 * spoiled {
        pen::erase_disc(rng, &mut ink);
    }
    for _ in 0..3 {
        if rng.uniform() < 0.6 * spoiled {
            pen::stray_stroke(rng, &mut ink);
        }
    }
    let contrast = 1.0 - spoiled * rng.between(0.0, 0.5);
    let deviation = 0.2 * spoiled;
    for (byte, ink) in image.iter_mut().zip(ink.pixels()) {
        let grain = if spoiled > 0.0 {
            deviation * noise(rng.bits())
        } else {
            0.0
        };
        *byte = to_byte(ink * contrast + grain);
    }
}
