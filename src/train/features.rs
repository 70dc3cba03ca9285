//! What a layer makes of many images: one vector each, by one program over batches of the dataset on the device.

use crate::backend::Backend;
use crate::compile::compile;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::nn::Mode;
use crate::ops;
use crate::tensor::{Spec, Tensor};

use super::read_view;
use super::session::Session;

/// Images per run.
const BATCH: usize = 64;

/// A layer of so many values or fewer is taken whole; of a larger one, each map's mean.
const WHOLE: usize = 256;

impl<B: Backend> Session<B> {
    /// Layer `layer`'s activations for the images `indices` of a split, `[n, features]`: all values of a small
    /// layer (row, column, channel), else the mean of each map.
    ///
    /// # Errors
    /// When there is no such split or image, none is asked for, or the backend has no room.
    pub async fn features(&self, layer: usize, split: &str, indices: &[u32]) -> Result<Tensor> {
        let (data, network, backend) = (self.data(), self.network(), self.backend());
        let images = data.layout.len(split)?;
        let last = indices
            .iter()
            .max()
            .map_or(usize::MAX, |&last| last as usize);
        if last >= images {
            let expected = format!("indices below {images}, at least one");
            let found = indices.iter().max().map(u32::to_string);
            return Err(Error::mismatch(
                "features",
                expected,
                found.unwrap_or_default(),
            ));
        }
        let batch = BATCH.min(indices.len());
        let mut graph = Graph::new();
        let g = &mut graph;
        let chosen = g.external("chosen", Spec::u32([batch]))?;
        let inputs = data.layout.gather(g, split, chosen)?;
        let built = network.build(g, inputs.images, Mode::Eval)?;
        let [c, h, w] = network.layers[layer].shape;
        let value = built.layers[layer];
        let (value, width) = if c * h * w <= WHOLE {
            (ops::reshape(g, value, [batch, c * h * w])?, c * h * w)
        } else {
            let scale = 1.0 / (h * w) as f32;
            (ops::sum(g, value, [batch, h * w, c], [batch, c], scale)?, c)
        };
        let compiled = compile(&graph, "features", &[value])?;
        let chosen = backend.allocate("chosen", batch)?;
        let external = |name: &str| match name {
            "chosen" => Some(chosen.clone()),
            _ => self.buffer(name),
        };
        let prepared = backend.prepare(&compiled.program, &external).await?;
        let mut found = Vec::new();
        for part in indices.chunks(batch) {
            // A short last batch leaves the end of the one before, which is not looked at.
            backend.upload(&chosen, 0, part)?;
            backend.run(&prepared, 1)?;
            let values = read_view(backend, &prepared, compiled.outputs[0]).await?;
            found.extend_from_slice(&values[..part.len() * width]);
        }
        Tensor::new([indices.len(), width], found)
    }
}
