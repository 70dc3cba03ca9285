//! A dataset on the device: both splits as bytes, uploaded once and gathered from there by every
//! training step and evaluation.

use std::cell::OnceCell;

use crate::backend::Backend;
use crate::data::{Augmented, Dataset, Split, Stage, augment};
use crate::error::{Error, Result};
use crate::graph::{Graph, ValueId};
use crate::ops::{self, Items};
use crate::tensor::Spec;

use super::probe::normalized;

/// A dataset in host memory (for showing examples) and on the device (for training).
#[derive(Debug)]
pub struct Loaded<B: Backend> {
    /// The dataset itself.
    pub dataset: Dataset,
    /// Measured when first asked for.
    look: OnceCell<Look>,
    /// How it lies on the device.
    pub layout: DataLayout,
    buffers: Vec<(String, B::Buffer)>,
}

/// How a dataset lies on a device: what a graph needs to gather batches from it.
#[derive(Debug, Clone)]
pub struct DataLayout {
    shape: [usize; 3],
    /// Name, images in all and images in each buffer.
    splits: Vec<(&'static str, [usize; 2])>,
    /// Per channel: what an image in 0..1 is multiplied by, and what is then added, so that the
    /// training split has mean 0 and deviation 1.
    pub normalization: (Vec<f32>, Vec<f32>),
}

/// What the training images look like on the average, for methods that draw images of the same kind.
/// Empty where nothing is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Look {
    /// [`Dataset::channel_covariance`].
    pub covariance: Vec<f32>,
    /// [`Dataset::amplitude_spectrum`].
    pub spectrum: Vec<f32>,
}

/// The buffer with part `shard` of a split's images.
fn shard_name(split: &str, shard: usize) -> String {
    format!("{split} images {shard}")
}

/// Refuses a split whose images, of so many words, need more buffers of `shard` words than a batch can be gathered
/// from.
fn check_shards(name: &str, dataset: &Dataset, words: usize, shard: usize) -> Result<()> {
    if words.div_ceil(shard) <= ops::MOST_SHARDS {
        return Ok(());
    }
    let bytes = |words: usize| 4 * words as u64;
    Err(Error::memory(
        format!("{name} split of {}", dataset.name),
        bytes(words),
        bytes(shard) * ops::MOST_SHARDS as u64,
    ))
}

/// A batch on the device.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// Normalized, `[n, h, w, c]`.
    pub images: ValueId,
    /// `[n]`.
    pub labels: ValueId,
}

impl<B: Backend> Loaded<B> {
    /// Uploads `dataset`.
    ///
    /// # Errors
    /// When a split is empty or does not fit into a few of the backend's largest buffers.
    pub fn new(backend: &B, dataset: Dataset) -> Result<Self> {
        Self::within(backend, dataset, backend.max_buffer_bytes())
    }

    /// [`Loaded::new`] with no buffer of images larger than `limit` bytes: what does not fit into one lies
    /// in several.
    ///
    /// # Errors
    /// As [`Loaded::new`].
    pub fn within(backend: &B, dataset: Dataset, limit: u64) -> Result<Self> {
        let mut buffers = Vec::new();
        let mut splits = Vec::new();
        for (name, split) in [("train", &dataset.train), ("test", &dataset.test)] {
            if split.is_empty() {
                return Err(Error::mismatch(
                    format!("{} split of {}", name, dataset.name),
                    "at least one image",
                    "none",
                ));
            }
            let words = split.words();
            let per_item = words.images.len() / split.len();
            let most = usize::try_from(limit / 4).unwrap_or(usize::MAX);
            // At least one image a shard: `allocate` refuses what is larger than a buffer.
            let per_shard = (most / per_item.max(1)).clamp(1, split.len());
            let shard = (per_shard * per_item).max(1);
            check_shards(name, &dataset, words.images.len(), shard)?;
            let shards = words.images.chunks(shard);
            let mut parts: Vec<(String, &[u32])> = shards
                .enumerate()
                .map(|(shard, words)| (shard_name(name, shard), words))
                .collect();
            parts.push((format!("{name} labels"), &words.labels));
            for (label, words) in parts {
                let buffer = backend.allocate(&label, words.len())?;
                backend.upload(&buffer, 0, words)?;
                buffers.push((label, buffer));
            }
            splits.push((name, [split.len(), per_shard]));
        }
        let (means, deviations) = dataset.statistics();
        // A constant channel stays as it is, shifted to zero.
        let scale = |d: &f32| if *d > 1e-6 { 1.0 / d } else { 1.0 };
        let scales: Vec<f32> = deviations.iter().map(scale).collect();
        let shifts: Vec<f32> = means
            .iter()
            .zip(&scales)
            .map(|(mean, scale)| -mean * scale)
            .collect();
        let layout = DataLayout {
            shape: dataset.shape,
            splits,
            normalization: (scales, shifts),
        };
        Ok(Self {
            dataset,
            look: OnceCell::new(),
            layout,
            buffers,
        })
    }

    /// What the training images look like, measured once.
    pub fn look(&self) -> &Look {
        self.look.get_or_init(|| Look {
            covariance: self.dataset.channel_covariance(),
            spectrum: self.dataset.amplitude_spectrum(),
        })
    }

    /// The outside buffer of this name, if it is one of the dataset's.
    pub(super) fn buffer(&self, name: &str) -> Option<B::Buffer> {
        self.buffers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, buffer)| buffer.clone())
    }

    /// The split called "train" or "test".
    ///
    /// # Errors
    /// For any other name.
    pub fn split(&self, name: &str) -> Result<&Split> {
        match name {
            "train" => Ok(&self.dataset.train),
            "test" => Ok(&self.dataset.test),
            _ => Err(Error::unknown("split", name, ["train", "test"])),
        }
    }
}

impl DataLayout {
    /// Number of images in the split called "train" or "test".
    ///
    /// # Errors
    /// For any other name.
    pub fn len(&self, split: &str) -> Result<usize> {
        self.split(split).map(|[items, _]| items)
    }

    fn split(&self, split: &str) -> Result<[usize; 2]> {
        let found = self.splits.iter().find(|(name, _)| *name == split);
        let known = self.splits.iter().map(|(name, _)| *name);
        found
            .map(|&(_, sizes)| sizes)
            .ok_or_else(|| Error::unknown("split", split, known))
    }

    /// Adds to `graph` the gathering of the items `indices` of `split`.
    ///
    /// # Errors
    /// When there is no such split, or the indices are not a vector of words.
    pub fn gather(
        &self,
        graph: &mut Graph,
        split: &str,
        indices: impl Into<Items>,
    ) -> Result<Batch> {
        let (scales, shifts) = &self.normalization;
        self.gather_scaled(graph, split, indices.into(), [scales, shifts])
    }

    /// The same with the images in 0..1 augmented before they are normalized.
    pub(super) fn gather_augmented(
        &self,
        graph: &mut Graph,
        split: &str,
        items: Items,
        counters: ValueId,
        stages: &[Stage],
    ) -> Result<Augmented> {
        if stages.is_empty() {
            let Batch { images, labels } = self.gather(graph, split, items)?;
            return Ok(Augmented {
                images,
                labels,
                mix: None,
            });
        }
        let augmented = self.gather_plain(graph, split, items, counters, stages)?;
        let images = normalized(graph, augmented.images, &self.normalization)?;
        Ok(Augmented {
            images,
            ..augmented
        })
    }

    /// The same with the augmented images left in 0..1.
    pub(super) fn gather_plain(
        &self,
        graph: &mut Graph,
        split: &str,
        items: Items,
        counters: ValueId,
        stages: &[Stage],
    ) -> Result<Augmented> {
        let channels = self.shape[0];
        let unchanged = [vec![1.0; channels], vec![0.0; channels]];
        let [ones, zeros] = &unchanged;
        let batch = self.gather_scaled(graph, split, items, [ones, zeros])?;
        let (scales, shifts) = &self.normalization;
        let mean = shifts
            .iter()
            .zip(scales)
            .map(|(shift, scale)| -shift / scale);
        let mean: Vec<f32> = mean.collect();
        let inputs = [batch.images, batch.labels];
        augment(graph, stages, inputs, counters, &mean)
    }

    /// The same with images in 0..1 scaled and shifted by these.
    fn gather_scaled(
        &self,
        graph: &mut Graph,
        split: &str,
        items: Items,
        [scales, shifts]: [&[f32]; 2],
    ) -> Result<Batch> {
        let [n, per_shard] = self.split(split)?;
        let [c, h, w] = self.shape;
        let per_item = (h * w * c).div_ceil(4);
        let mut shards = Vec::new();
        for (shard, first) in (0..n).step_by(per_shard).enumerate() {
            let words = per_shard.min(n - first) * per_item;
            shards.push(graph.external(&shard_name(split, shard), Spec::u32([words]))?);
        }
        let labels = graph.external(&format!("{split} labels"), Spec::u32([n]))?;
        let scale_shift = graph.constant([2, c], &[scales, shifts].concat())?;
        let shape = [h, w, c];
        let images = ops::gather_images(graph, &shards, items, shape, [n, per_shard], scale_shift)?;
        let labels = ops::gather_labels(graph, labels, items.indices)?;
        Ok(Batch { images, labels })
    }
}
