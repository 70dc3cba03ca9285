//! What all generated datasets have in common: their settings, their splits, their label noise. A
//! dataset adds only its classes and how one image of a class is drawn.

use crate::error::Result;
use crate::field::{Field, Values};
use crate::rng::Rng;

use super::{Dataset, Split};

/// What distinguishes one generated dataset from another.
pub(super) struct Recipe {
    /// The registry's id; also names the streams of random numbers.
    pub(super) id: &'static str,
    /// The registry's name.
    pub(super) name: &'static str,
    /// The registry's sentence.
    pub(super) doc: &'static str,
    /// Names of the classes.
    pub(super) classes: &'static [&'static str],
    /// Channels, height and width.
    pub(super) shape: [usize; 3],
    /// Draws an image of a class at a difficulty (0..1) into black NHWC bytes.
    pub(super) draw: fn(class: usize, difficulty: f32, rng: &mut Rng, image: &mut [u8]),
}

/// The settings of every generated dataset.
pub(super) fn fields() -> Vec<Field> {
    vec![
        Field::integer("train", "Images to train on.", 100.0, 60_000.0, 8_000.0),
        Field::integer("test", "Images to test on.", 100.0, 10_000.0, 1_000.0),
        Field::number(
            "difficulty",
            "How distorted, noisy and cluttered the images are.",
            0.0,
            1.0,
            0.5,
        ),
        Field::number(
            "labelNoise",
            "Fraction of the training labels that are replaced by another class.",
            0.0,
            0.5,
            0.0,
        ),
        Field::integer(
            "seed",
            "The same seed draws the same images.",
            0.0,
            f64::from(u32::MAX),
            1.0,
        ),
    ]
}

/// Draws both splits. Each has its own stream, so one split's size never changes the other, and a
/// larger split begins with the images of a smaller one; label noise changes no image.
///
/// # Errors
/// When `values` are not those of [`fields`].
pub(super) fn generate(recipe: &Recipe, values: &Values) -> Result<Dataset> {
    let difficulty = values.number("difficulty")? as f32;
    let seed = values.integer("seed")? as u64;
    let (images, mut labels) =
        draw_split(recipe, values.integer("train")?, difficulty, seed, "train");
    let noise = values.number("labelNoise")? as f32;
    let mut rng = Rng::new(seed, &format!("{}/label noise", recipe.id));
    disturb_labels(&mut labels, recipe.classes.len(), noise, &mut rng);
    let train = Split::new(recipe.shape, images, labels)?;
    let (images, labels) = draw_split(recipe, values.integer("test")?, difficulty, seed, "test");
    Ok(Dataset {
        name: recipe.name.into(),
        doc: recipe.doc.into(),
        classes: recipe.classes.iter().map(|&class| class.into()).collect(),
        shape: recipe.shape,
        train,
        test: Split::new(recipe.shape, images, labels)?,
    })
}

fn draw_split(
    recipe: &Recipe,
    count: usize,
    difficulty: f32,
    seed: u64,
    split: &str,
) -> (Vec<u8>, Vec<u8>) {
    let mut rng = Rng::new(seed, &format!("{}/{split}", recipe.id));
    let size = recipe.shape.iter().product();
    let mut images = vec![0; count * size];
    let draw = |image: &mut [u8]| {
        let class = rng.below(recipe.classes.len());
        (recipe.draw)(class, difficulty, &mut rng, image);
        // A recipe has ten classes or so, far below 256.
        class as u8
    };
    let labels = images.chunks_exact_mut(size).map(draw).collect();
    (images, labels)
}

/// Replaces each label, with probability `noise`, by one of the other classes.
fn disturb_labels(labels: &mut [u8], classes: usize, noise: f32, rng: &mut Rng) {
    for label in labels {
        // Both numbers are drawn for every label, so that more noise keeps what less noise changed.
        let (hit, offset) = (rng.uniform(), rng.below(classes - 1) + 1);
        if hit < noise {
            *label = ((usize::from(*label) + offset) % classes) as u8;
        }
    }
}

/// Nearly normal noise of unit variance from 32 random bits: the sum of their four bytes.
pub(super) fn noise(bits: u32) -> f32 {
    let sum: i32 = bits.to_le_bytes().map(i32::from).iter().sum();
    // Each byte has mean 127.5 and variance (256^2 - 1) / 12; 147.8 is the sum's deviation.
    (sum - 510) as f32 / 147.8
}

/// Where `difficulty` lies between `from` (and below: 0) and 1 (1): for hindrances that only the
/// harder settings have.
pub(super) fn beyond(difficulty: f32, from: f32) -> f32 {
    ((difficulty - from) / (1.0 - from)).max(0.0)
}
