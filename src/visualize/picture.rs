//! Pictures as methods make them, in host memory, and how they are to be shown.

use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// A finished picture in host memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// What it shows, in plain words.
    pub title: String,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// 1 or 3.
    pub channels: usize,
    /// `[channels, height, width]`.
    pub data: Vec<f32>,
    /// Whether zero is the middle of the scale (diverging colors); else values are in 0..1 for
    /// images, or from 0 up.
    pub signed: bool,
    /// What is wrong with it or to be known of it, in plain words.
    pub note: Option<String>,
    /// How its values are to be shown.
    pub shown: Shown,
    /// What the first and the last step of [`Shown::Curves`] are.
    pub ends: [String; 2],
    /// The unit, by layer and channel, that one may go on to from here.
    pub unit: Option<(String, usize)>,
}

/// How a [`Picture`]'s values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// As an image.
    #[default]
    Image,
    /// As colors of a scale from the smallest to the largest value: a measurement for every pixel, which may
    /// be laid over the image it explains.
    Map,
    /// As a plot: each row is a curve, over equal steps from one of [`Picture::ends`] to the other.
    Curves,
}

impl Shown {
    /// The name that the page knows.
    pub fn id(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Map => "map",
            Self::Curves => "curves",
        }
    }
}

/// The ends of a curve over shares.
fn ends() -> [String; 2] {
    ["0".to_owned(), "100 %".to_owned()]
}

impl Picture {
    /// A picture of `tensor`, `[c, h, w]`. Other numbers of channels than 3 are averaged into one.
    ///
    /// # Errors
    /// When the tensor does not have three axes.
    pub fn new(title: impl Into<String>, tensor: &Tensor, signed: bool) -> Result<Self> {
        let shape = tensor.shape();
        let [channels, height, width] = <[usize; 3]>::try_from(shape.dims())
            .map_err(|_| Error::mismatch("picture", "3 axes", shape.to_string()))?;
        let data = tensor.to_vec();
        let title = title.into();
        if channels == 1 || channels == 3 {
            return Ok(Self {
                title,
                width,
                height,
                channels,
                data,
                signed,
                note: None,
                shown: Shown::Image,
                ends: ends(),
                unit: None,
            });
        }
        let area = height * width;
        let mean = |i| data.iter().skip(i).step_by(area).sum::<f32>() / channels.max(1) as f32;
        let data = (0..area).map(mean).collect();
        Ok(Self {
            title,
            width,
            height,
            channels: 1,
            data,
            signed,
            note: None,
            shown: Shown::Image,
            ends: ends(),
            unit: None,
        })
    }

    /// Curves over equal steps; the first row is drawn strong.
    ///
    /// # Errors
    /// When the rows are not of one length.
    pub fn curves(title: impl Into<String>, rows: &[Vec<f32>]) -> Result<Self> {
        let width = rows.first().map_or(0, Vec::len);
        let values = Tensor::new([1, rows.len(), width], rows.concat())?;
        Ok(Self::new(title, &values, false)?.shown(Shown::Curves))
    }

    /// The same with other words for the first and the last step of its curves than 0 and 100 %.
    #[must_use]
    pub fn between(mut self, first: impl Into<String>, last: impl Into<String>) -> Self {
        self.ends = [first.into(), last.into()];
        self
    }

    /// The same with a unit to go on to.
    #[must_use]
    pub fn linked(mut self, layer: &str, unit: usize) -> Self {
        self.unit = Some((layer.to_owned(), unit));
        self
    }

    /// The same, shown otherwise.
    #[must_use]
    pub fn shown(mut self, shown: Shown) -> Self {
        self.shown = shown;
        self
    }
}
