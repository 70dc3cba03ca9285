//! The forward pass for one chosen image, in evaluation mode, with every layer's activations kept on
//! the device: what the network map draws, and what scripts read.

use crate::backend::Backend;
use crate::compile::{Compiled, compile};
use crate::error::{Error, Result};
use crate::graph::{Graph, ValueId};
use crate::nn::{Mode, Network};
use crate::ops;
use crate::program::View;
use crate::tensor::{Spec, Tensor};

use super::session::Session;
use super::{read_view, words_from_floats};

/// A prepared forward pass for single images.
#[derive(Debug)]
pub struct Probe<B: Backend> {
    backend: B,
    prepared: B::Prepared,
    image: B::Buffer,
    shape: [usize; 3],
    layers: Vec<View>,
    ranges: Vec<View>,
    /// Of all layers behind the input, channel by channel: `[n, 2]`, and as `[2, 2]` of the same extremes.
    all_ranges: [View; 2],
    weight_ranges: Vec<Option<View>>,
    probabilities: View,
}

/// Adds to `graph` the normalization of images in 0..1, `[n, h, w, c]`, as in training: the scale and shift
/// of each channel of [`DataLayout`](super::DataLayout).
///
/// # Errors
/// When the channels differ from the dataset's.
pub fn normalized(
    graph: &mut Graph,
    images: ValueId,
    (scales, shifts): &(Vec<f32>, Vec<f32>),
) -> Result<ValueId> {
    let scales = graph.constant([scales.len()], scales)?;
    let shifts = graph.constant([shifts.len()], shifts)?;
    let scaled = ops::mul(graph, images, scales)?;
    ops::add(graph, scaled, shifts)
}

impl<B: Backend> Probe<B> {
    pub(super) async fn new(session: &Session<B>) -> Result<Self> {
        let (network, backend) = (session.network(), session.backend());
        let [c, h, w] = network.spec.input;
        let mut graph = Graph::new();
        let g = &mut graph;
        let image = g.external("probe", Spec::f32([1, h, w, c]))?;
        let x = normalized(g, image, &session.data().layout.normalization)?;
        let mut layers = network.build(g, x, Mode::Eval)?;
        // The input is shown as the user knows it, not normalized.
        layers.layers[0] = image;
        let probabilities = ops::softmax(g, layers.logits)?;
        let n_layers = layers.layers.len();
        let mut outputs = layers.layers.clone();
        let ranges = layers
            .layers
            .iter()
            .map(|&layer| ops::channel_range(g, layer))
            .collect::<Result<Vec<_>>>()?;
        outputs.extend(&ranges);
        outputs.push(probabilities);
        // Side by side without gaps, so that they are read at once and make one range.
        let mut pairs = Vec::new();
        for &range in ranges.iter().skip(1) {
            let words = g.shape(range).elements();
            pairs.push(ops::reshape(g, range, [1, words])?);
        }
        let pairs = ops::concat_channels(g, &pairs)?;
        let pairs = ops::reshape(g, pairs, [g.shape(pairs).elements() / 2, 2])?;
        outputs.extend([pairs, ops::channel_range(g, pairs)?]);
        let mut kernel_layers = Vec::new();
        for (index, layer) in network.layers.iter().enumerate() {
            let Some(weight) = layer
                .weight
                .filter(|&w| network.parameters[w].shape.rank() == 4)
            else {
                continue;
            };
            outputs.push(ops::channel_range(g, layers.parameters[weight])?);
            kernel_layers.push(index);
        }
        let Compiled { program, outputs } = compile(&graph, "probe", &outputs)?;
        let image = backend.allocate("probe", h * w * c)?;
        let external = |name: &str| match name {
            "probe" => Some(image.clone()),
            _ => session.buffer(name),
        };
        let prepared = backend.prepare(&program, &external).await?;
        let mut weight_ranges = vec![None; n_layers];
        for (&index, &view) in kernel_layers.iter().zip(&outputs[2 * n_layers + 3..]) {
            weight_ranges[index] = Some(view);
        }
        Ok(Self {
            backend: backend.clone(),
            weight_ranges,
            prepared,
            image,
            shape: [c, h, w],
            layers: outputs[..n_layers].to_vec(),
            ranges: outputs[n_layers..2 * n_layers].to_vec(),
            probabilities: outputs[2 * n_layers],
            all_ranges: [outputs[2 * n_layers + 1], outputs[2 * n_layers + 2]],
        })
    }

    /// Runs the forward pass for `image`, `[c, h, w]` values in 0..1.
    ///
    /// # Errors
    /// When the image's shape is not the network's input, or a value is not finite.
    pub fn run(&self, image: &Tensor) -> Result<()> {
        let [c, h, w] = self.shape;
        if image.shape().dims() != self.shape {
            let expected = format!("{:?}", self.shape);
            return Err(Error::mismatch(
                "image",
                expected,
                image.shape().to_string(),
            ));
        }
        let pixels = image.permuted(&[1, 2, 0])?.reshaped([h * w * c])?.to_vec();
        if let Some(bad) = pixels.iter().find(|x| !x.is_finite()) {
            return Err(Error::mismatch("image", "finite values", bad.to_string()));
        }
        self.backend
            .upload(&self.image, 0, words_from_floats(&pixels))?;
        self.backend.run(&self.prepared, 1)
    }

    /// Class probabilities of the image that was run last.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn probabilities(&self) -> Result<Vec<f32>> {
        read_view(&self.backend, &self.prepared, self.probabilities).await
    }

    /// Layer `index`'s activations, `[c, h, w]` (`[c, 1, 1]` behind a flatten).
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn activations(&self, network: &Network, index: usize) -> Result<Tensor> {
        let [c, h, w] = network.layers[index].shape;
        let data = read_view(&self.backend, &self.prepared, self.layers[index]).await?;
        Tensor::new([h, w, c], data)?.permuted(&[2, 0, 1])
    }

    /// The smallest and largest activation of each channel of each layer, pair by pair; the input's are those that
    /// it may have, 0 and 1.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn ranges(&self) -> Result<Vec<Vec<f32>>> {
        let all = read_view(&self.backend, &self.prepared, self.all_ranges[0]).await?;
        let mut rest = all.as_slice();
        let mut found = vec![[0.0, 1.0].repeat(self.shape[0])];
        for range in &self.ranges[1..] {
            let (own, others) = rest.split_at(range.words);
            found.push(own.to_vec());
            rest = others;
        }
        Ok(found)
    }

    /// Where the smallest and largest activation behind the input lie, `[2, 2]`: the first word and the last.
    pub fn global_range(&self) -> (B::Buffer, View) {
        let view = self.all_ranges[1];
        (self.backend.buffer(&self.prepared, view.buffer), view)
    }

    /// Where the ranges of layer `index`'s kernels lie, `[out_channels, 2]`, if it has kernels.
    pub fn weight_range_buffer(&self, index: usize) -> Option<(B::Buffer, View)> {
        let view = self.weight_ranges[index]?;
        Some((self.backend.buffer(&self.prepared, view.buffer), view))
    }

    /// Where layer `index`'s activations (`[h, w, c]` words) and its channels' ranges (`[c, 2]`) lie.
    pub fn layer_buffers(&self, index: usize) -> [(B::Buffer, View); 2] {
        [self.layers[index], self.ranges[index]]
            .map(|view| (self.backend.buffer(&self.prepared, view.buffer), view))
    }
}
