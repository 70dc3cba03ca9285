//! Datasets: images as bytes with their labels, in host memory. One file per dataset that convscope
//! draws by itself ([`DATASETS`]) and per file format that it reads ([`load_idx`]). Bytes come in as
//! slices; this room opens no file and reads no clock. Batches are gathered on the device, from the
//! packed form that [`Split::words`] gives, and augmented there ([`AUGMENTATIONS`]); skip this room if you
//! only train.

mod augment;
mod generated;
mod idx;
mod pen_digits;
mod plane;
mod shapes;
#[cfg(test)]
mod tests;

pub use augment::{
    AUGMENTATIONS, AugmentationInfo, Augmented, Mix, N_STRENGTHS, STAGES, Stage, augment,
    find_augmentation,
};
pub use idx::load_idx;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::tensor::Tensor;

/// Labeled images in two splits, all of one shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// What the page calls it.
    pub name: String,
    /// Where it comes from and how it was split, in a sentence.
    pub doc: String,
    /// The classes' names; a label is an index into these.
    pub classes: Vec<String>,
    /// Channels, height and width of each image.
    pub shape: [usize; 3],
    /// Images to learn from.
    pub train: Split,
    /// Images held out.
    pub test: Split,
}

impl Dataset {
    /// Mean and standard deviation of each channel over all pixels of the training split, in 0..1
    /// units, for normalizing inputs. The sums are exact integers, the division is in f64; an empty
    /// split gives mean 0 and deviation 0.
    pub fn statistics(&self) -> (Vec<f32>, Vec<f32>) {
        let channels = self.shape[0];
        let mut sums = vec![(0_u64, 0_u64); channels];
        for pixel in self.train.images.chunks_exact(channels.max(1)) {
            for (sum, &byte) in sums.iter_mut().zip(pixel) {
                let byte = u64::from(byte);
                *sum = (sum.0 + byte, sum.1 + byte * byte);
            }
        }
        let count = (self.train.images.len() / channels.max(1)).max(1) as f64;
        let moments = sums.into_iter().map(|(sum, squares)| {
            let mean = sum as f64 / count;
            let variance = (squares as f64 / count - mean * mean).max(0.0);
            ((mean / 255.0) as f32, (variance.sqrt() / 255.0) as f32)
        });
        moments.unzip()
    }
}

/// Some images and their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Channels, height and width of each image.
    shape: [usize; 3],
    /// `[n, h, w, c]` bytes, 0 to 255.
    images: Vec<u8>,
    /// One class index per image.
    labels: Vec<u8>,
}

/// A split in the form that the device holds: every element one 32-bit word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The images' NHWC bytes, four to a word, the first in the lowest bits. Each image starts at a
    /// word and takes `ceil(h * w * c / 4)` of them; the bytes that pad it are 0.
    pub images: Vec<u32>,
    /// One label per word.
    pub labels: Vec<u32>,
}

impl Split {
    /// Images of `shape` (`[c, h, w]`) given as NHWC bytes, with one label each.
    ///
    /// # Errors
    /// When `images` is not `labels.len()` times `c * h * w` bytes.
    pub fn new(shape: [usize; 3], images: Vec<u8>, labels: Vec<u8>) -> Result<Self> {
        let bytes = shape
            .iter()
            .try_fold(labels.len(), |product, &extent| product.checked_mul(extent));
        if bytes != Some(images.len()) {
            let expected = format!("{} images of {shape:?} bytes each", labels.len());
            let found = format!("{} bytes", images.len());
            return Err(Error::mismatch("dataset split", expected, found));
        }
        Ok(Self {
            shape,
            images,
            labels,
        })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// All images' bytes, `[n, h, w, c]`.
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// All labels.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Image `index` as `[c, h, w]` floats in 0..1.
    ///
    /// # Errors
    /// When there is no image `index`.
    pub fn image(&self, index: usize) -> Result<Tensor> {
        self.label(index)?;
        let [c, h, w] = self.shape;
        let size = c * h * w;
        let bytes = &self.images[index * size..][..size];
        Tensor::new(
            [h, w, c],
            bytes.iter().map(|&b| f32::from(b) / 255.0).collect(),
        )?
        .permuted(&[2, 0, 1])
    }

    /// The class of image `index`.
    ///
    /// # Errors
    /// When there is no image `index`.
    pub fn label(&self, index: usize) -> Result<usize> {
        self.labels
            .get(index)
            .map(|&label| usize::from(label))
            .ok_or_else(|| {
                let expected = format!("an index below {}", self.len());
                Error::mismatch("dataset image", expected, index.to_string())
            })
    }

    /// The split as the device holds it.
    pub fn words(&self) -> Words {
        let size = self.shape.iter().product::<usize>().max(1);
        let word = |bytes: &[u8]| {
            let mut padded = [0; 4];
            padded[..bytes.len()].copy_from_slice(bytes);
            u32::from_le_bytes(padded)
        };
        let images = self.images.chunks_exact(size);
        Words {
            images: images.flat_map(|image| image.chunks(4).map(word)).collect(),
            labels: self.labels.iter().map(|&label| label.into()).collect(),
        }
    }
}

/// A dataset that convscope generates: what the page's menu and form show, and how it is made.
#[derive(Debug, Clone, Copy)]
pub struct DatasetInfo {
    /// Key in scripts and links.
    pub id: &'static str,
    /// Name in menus.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Its settings.
    pub fields: fn() -> Vec<Field>,
    /// Makes it from checked settings; the same settings give the same bytes on every platform.
    pub generate: fn(&Values) -> Result<Dataset>,
}

/// Every dataset that convscope generates; the first is the default.
pub const DATASETS: &[DatasetInfo] = &[pen_digits::INFO, shapes::INFO];

/// Generates dataset `id` with `options` (missing ones take their defaults).
///
/// # Errors
/// Names an unknown dataset, an unknown option, or an option out of range.
pub fn generate(id: &str, options: &Map<String, Value>) -> Result<Dataset> {
    let info = DATASETS
        .iter()
        .find(|info| info.id == id)
        .ok_or_else(|| Error::unknown("dataset", id, DATASETS.iter().map(|info| info.id)))?;
    (info.generate)(&Values::check(id, &(info.fields)(), options)?)
}
