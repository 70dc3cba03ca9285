//! A dataset on the device: both splits as bytes, uploaded once and gathered from there by every
//! training step and evaluation.

use crate::backend::Backend;
use crate::data::{Dataset, Split};
use crate::error::{Error, Result};
use crate::graph::{Graph, ValueId};
use crate::ops;
use crate::tensor::Spec;

/// A dataset in host memory (for showing examples) and on the device (for training).
#[derive(Debug)]
pub struct Loaded<B: Backend> {
    /// The dataset itself.
    pub dataset: Dataset,
    /// Per channel: what an image in 0..1 is multiplied by, and what is then added, so that the
    /// training split has mean 0 and deviation 1.
    pub normalization: (Vec<f32>, Vec<f32>),
    buffers: Vec<(String, B::Buffer)>,
    /// Images in each buffer of each split.
    shard_items: Vec<(&'static str, usize)>,
}

/// The buffer with part `shard` of a split's images.
fn shard_name(split: &str, shard: usize) -> String {
    format!("{split} images {shard}")
}

/// Refuses a split that is larger than a batch can be gathered from.
fn check_shards(name: &str, dataset: &Dataset, shards: usize, most_words: usize) -> Result<()> {
    if shards <= ops::MOST_SHARDS {
        return Ok(());
    }
    let limit = 4 * most_words as u64;
    Err(Error::Memory {
        place: format!("{name} split of {}", dataset.name),
        needed: shards as u64 * limit,
        limit: ops::MOST_SHARDS as u64 * limit,
    })
}

/// A batch on the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch {
    pub(super) images: ValueId,
    pub(super) labels: ValueId,
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
        let mut shard_items = Vec::new();
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
            check_shards(name, &dataset, split.len().div_ceil(per_shard), most)?;
            let shards = words.images.chunks((per_shard * per_item).max(1));
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
            shard_items.push((name, per_shard));
        }
        let (means, deviations) = dataset.statistics();
        // A constant channel stays as it is, shifted to zero.
        let scale = |d: &f32| if *d > 1e-6 { 1.0 / d } else { 1.0 };
        let scales: Vec<f32> = deviations.iter().map(scale).collect();
        let shifts = means
            .iter()
            .zip(&scales)
            .map(|(mean, scale)| -mean * scale)
            .collect();
        Ok(Self {
            dataset,
            normalization: (scales, shifts),
            buffers,
            shard_items,
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

    /// Adds to `graph` the gathering of the items `indices` of `split`: normalized images
    /// `[n, h, w, c]` and labels `[n]`.
    pub(super) fn gather(&self, graph: &mut Graph, split: &str, indices: ValueId) -> Result<Batch> {
        let n = self.split(split)?.len();
        let [c, h, w] = self.dataset.shape;
        let per_shard = self.shard_items.iter().find(|(name, _)| *name == split);
        let per_shard = per_shard.map_or(n, |&(_, items)| items);
        let per_item = (h * w * c).div_ceil(4);
        let mut shards = Vec::new();
        for (shard, first) in (0..n).step_by(per_shard).enumerate() {
            let words = per_shard.min(n - first) * per_item;
            shards.push(graph.external(&shard_name(split, shard), Spec::u32([words]))?);
        }
        let labels = graph.external(&format!("{split} labels"), Spec::u32([n]))?;
        let (scales, shifts) = &self.normalization;
        let scale_shift = graph.constant([2, c], &[scales.as_slice(), shifts].concat())?;
        let images = ops::gather_images(
            graph,
            &shards,
            indices,
            [h, w, c],
            [n, per_shard],
            scale_shift,
        )?;
        let labels = ops::gather_labels(graph, labels, indices)?;
        Ok(Batch { images, labels })
    }
}
