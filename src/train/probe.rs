//! The forward pass for one chosen image, in evaluation mode, with every layer's activations kept on
//! the device: what the network map draws, and what scripts read.

use crate::backend::Backend;
use crate::compile::{Compiled, compile};
use crate::error::{Error, Result};
use crate::graph::{Graph, ValueId};
use crate::nn::{Mode, Network};
use crate::ops;
use crate::program::{View, aligned};
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
    all_ranges: View,
    weight_ranges: Vec<Option<View>>,
    probabilities: View,
}

/// Adds to `graph` the normalization of images in 0..1, `[n, h, w, c]`, as in training: the scale and shift
/// of each channel of [`Loaded`](super::Loaded).
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
        let x = normalized(g, image, &session.data().normalization)?;
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
        // Side by side, so that they are read at once.
        outputs.push(ops::pack(g, &ranges)?);
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
        for (&index, &view) in kernel_layers.iter().zip(&outputs[2 * n_layers + 2..]) {
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
            all_ranges: outputs[2 * n_layers + 1],
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

    /// Each layer's smallest and largest activation.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn ranges(&self) -> Result<Vec<[f32; 2]>> {
        let all = read_view(&self.backend, &self.prepared, self.all_ranges).await?;
        let widen = |[low, high]: [f32; 2], pair: &[f32]| [low.min(pair[0]), high.max(pair[1])];
        let mut first = 0;
        let layer = |view: &View| {
            let pairs = all[first..first + view.words].chunks_exact(2);
            first += aligned(view.words);
            pairs.fold([f32::INFINITY, f32::NEG_INFINITY], widen)
        };
        Ok(self.ranges.iter().map(layer).collect())
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
