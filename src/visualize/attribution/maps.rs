//! What an attribution's numbers become: one number per pixel, a picture, and the words beside it.

use crate::error::Result;
use crate::graph::{Graph, ValueId};
use crate::ops::{self, Pool2d};
use crate::tensor::Tensor;

use super::super::{Picture, Request, Shown, check_finite, class_name};

/// How channels become one, and how that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// For and against the class: channels are added, zero is the middle of the scale.
    Signed,
    /// The largest size over the channels (Simonyan et al. 2014, section 3.1).
    Size,
    /// One channel, from 0 up.
    Positive,
}

impl Kind {
    /// `[1, h, w, channels]` as `[h, w]`.
    pub(super) fn reduced(self, g: &mut Graph, map: ValueId) -> Result<ValueId> {
        let [_, h, w, c] = g.shape(map).four("attribution")?;
        if self == Self::Size {
            let size = size(g, map)?;
            let size = ops::reshape(g, size, [h * w, 1, c, 1])?;
            let largest = ops::max_pool2d(g, size, Pool2d::whole([1, c]))?;
            return ops::reshape(g, largest, [h, w]);
        }
        ops::sum(g, map, [h * w, c, 1], [h, w], 1.0)
    }

    /// The map as a picture.
    pub(super) fn picture(self, title: String, map: &[f32], [h, w]: [usize; 2]) -> Result<Picture> {
        let map = Tensor::new([1, h, w], map.to_vec())?;
        Ok(Picture::new(title, &map, self == Self::Signed)?.shown(Shown::Map))
    }
}

/// `|x|`.
pub(in super::super) fn size(g: &mut Graph, x: ValueId) -> Result<ValueId> {
    let up = ops::relu(g, x)?;
    let negated = ops::affine(g, x, -1.0, 0.0)?;
    let down = ops::relu(g, negated)?;
    ops::add(g, up, down)
}

/// `x` kept within `low..=high`.
pub(in super::super) fn clamp(g: &mut Graph, x: ValueId, low: f32, high: f32) -> Result<ValueId> {
    let above = ops::affine(g, x, 1.0, -low)?;
    let above = ops::relu(g, above)?;
    // high - relu(high - low - above): exact at both ends.
    let rest = ops::affine(g, above, -1.0, high - low)?;
    let rest = ops::relu(g, rest)?;
    ops::affine(g, rest, -1.0, high)
}

/// Who asks, for error sentences, and what the classes are called.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    place: &'static str,
    names: Vec<String>,
}

impl Asker {
    pub(super) fn new(place: &'static str, request: &Request<'_>) -> Self {
        let names = request.classes.to_vec();
        Self { place, names }
    }

    /// A class in words.
    pub(super) fn name(&self, class: usize) -> String {
        class_name(&self.names, class)
    }

    /// A class and its probability, in words.
    pub(super) fn said(&self, class: usize, probability: f32) -> String {
        format!("{} ({:.1} %)", self.name(class), 100.0 * probability)
    }

    /// The most probable class, in words.
    pub(super) fn best(&self, probabilities: &[f32]) -> String {
        let class = best(probabilities);
        self.said(class, probabilities[class])
    }
}

/// What the network says to the image, and the class that is explained.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) asker: Asker,
    pub(super) class: usize,
    pub(super) probabilities: Vec<f32>,
    pub(super) scores: Vec<f32>,
}

impl Answer {
    /// From class scores and the class as a row with a single one.
    ///
    /// # Errors
    /// When a score is not a number: no map then means anything.
    pub(super) fn new(asker: &Asker, scores: &[f32], class: &[f32]) -> Result<Self> {
        check_finite(asker.place, "class scores", scores)?;
        Ok(Self {
            asker: asker.clone(),
            class: best(class),
            probabilities: softmax(scores),
            scores: scores.to_vec(),
        })
    }

    /// The class and its probability, in words.
    pub(super) fn class(&self) -> String {
        self.asker.said(self.class, self.probabilities[self.class])
    }
}

/// The index of the first of the largest.
pub(in super::super) fn best(row: &[f32]) -> usize {
    let larger = |best: usize, (i, x): (usize, &f32)| if *x > row[best] { i } else { best };
    row.iter().enumerate().fold(0, larger)
}

/// Probabilities from class scores.
pub(super) fn softmax(scores: &[f32]) -> Vec<f32> {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = scores.iter().map(|x| (x - largest).exp()).collect();
    let total: f32 = exponentials.iter().sum();
    exponentials.iter().map(|x| x / total).collect()
}
