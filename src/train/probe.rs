//! The forward pass for one chosen image, in evaluation mode, with every layer's activations kept on
//! the device: what the network map draws, and what scripts read. The backward pass behind it is a probe of its own,
//! with gradients in the activations' and the kernels' place (`gradient_probe`).

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

/// The outside buffer with the image.
const IMAGE: &str = "probe";

/// The outside buffer that says of which class it is.
pub(super) const CLASS: &str = "probe class";

/// A prepared pass for single images.
#[derive(Debug)]
pub struct Probe<B: Backend> {
    backend: B,
    prepared: B::Prepared,
    /// What is given it: the image, or which class it is of.
    given: B::Buffer,
    shape: [usize; 3],
    /// Of every layer, then of every kernel.
    values: Vec<View>,
    /// Their smallest and largest values, channel by channel: `[c, 2]`.
    ranges: Vec<View>,
    /// The same side by side, `[n, 2]`, and as `[2, 2]` of the extremes of all layers behind the input.
    all_ranges: [View; 2],
    /// The layers with kernels.
    kernels: Vec<usize>,
    probabilities: View,
}

/// Layers, and the smallest and largest value of each channel of theirs.
pub type Ranges = Vec<(usize, Vec<f32>)>;

/// What a [`Probe`] is made of.
pub(super) struct Sketch {
    pub(super) graph: Graph,
    /// One value for each layer, the input first, then one for each of [`kernels`].
    pub(super) values: Vec<ValueId>,
    pub(super) logits: ValueId,
    pub(super) probabilities: ValueId,
}

/// The layers with kernels, and which parameters these are.
fn kernels(network: &Network) -> Vec<(usize, usize)> {
    let weight = |layer| Some((layer, network.kernel(layer)?.weight));
    (0..network.layers.len()).filter_map(weight).collect()
}

/// The forward pass.
pub(super) fn forward<B: Backend>(session: &Session<B>) -> Result<Sketch> {
    let network = session.network();
    let [c, h, w] = network.spec.input;
    let mut graph = Graph::new();
    let g = &mut graph;
    let image = g.external(IMAGE, Spec::f32([1, h, w, c]))?;
    let x = normalized(g, image, &session.data().layout.normalization)?;
    let built = network.build(g, x, Mode::Eval)?;
    let probabilities = ops::softmax(g, built.logits)?;
    let mut values = built.layers;
    // The input is shown as the user knows it, not normalized.
    values[0] = image;
    for (_, weight) in kernels(network) {
        values.push(built.parameters[weight]);
    }
    Ok(Sketch {
        graph,
        values,
        logits: built.logits,
        probabilities,
    })
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
    /// The pass of a sketch, for an image or, where the image is another's, for its class.
    pub(super) async fn new(
        session: &Session<B>,
        sketch: Sketch,
        image: Option<&Self>,
    ) -> Result<Self> {
        let (network, backend) = (session.network(), session.backend());
        let Sketch {
            mut graph,
            values,
            probabilities,
            ..
        } = sketch;
        let g = &mut graph;
        let mut outputs = values.clone();
        // Side by side without gaps, so that they are read at once and make one range.
        let mut pairs = Vec::new();
        for &value in &values {
            let range = ops::channel_range(g, value)?;
            outputs.push(range);
            let words = g.shape(range).elements();
            pairs.push(ops::reshape(g, range, [1, words])?);
        }
        for part in [&pairs[..], &pairs[1..network.layers.len()]] {
            let pairs = ops::concat_channels(g, part)?;
            outputs.push(ops::reshape(g, pairs, [g.shape(pairs).elements() / 2, 2])?);
        }
        let last = outputs.len() - 1;
        outputs[last] = ops::channel_range(g, outputs[last])?;
        outputs.push(probabilities);
        let Compiled { program, outputs } = compile(&graph, "probe", &outputs)?;
        let shape = network.spec.input;
        let given = match image {
            Some(_) => backend.allocate(CLASS, network.spec.classes)?,
            None => backend.allocate(IMAGE, shape.iter().product())?,
        };
        let external = |name: &str| match name {
            IMAGE => Some(image.map_or(&given, |probe| &probe.given).clone()),
            CLASS => Some(given.clone()),
            _ => session.buffer(name),
        };
        let prepared = backend.prepare(&program, &external).await?;
        let (values, ranges) = outputs.split_at(values.len());
        Ok(Self {
            backend: backend.clone(),
            prepared,
            given,
            shape,
            values: values.to_vec(),
            ranges: ranges[..values.len()].to_vec(),
            all_ranges: [ranges[values.len()], ranges[values.len() + 1]],
            kernels: kernels(network)
                .into_iter()
                .map(|(index, _)| index)
                .collect(),
            probabilities: outputs[last + 1],
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
        self.run_for(&pixels)
    }

    /// Runs it for what it is given.
    pub(super) fn run_for(&self, given: &[f32]) -> Result<()> {
        self.backend
            .upload(&self.given, 0, words_from_floats(given))?;
        self.backend.run(&self.prepared, 1)
    }

    /// Class probabilities of the image that was run last.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn probabilities(&self) -> impl Future<Output = Result<Vec<f32>>> + 'static + use<B> {
        read_view(&self.backend, &self.prepared, self.probabilities)
    }

    /// Layer `index`'s activations, `[c, h, w]` (`[c, 1, 1]` behind a flatten).
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn activations(&self, network: &Network, index: usize) -> Result<Tensor> {
        let [c, h, w] = network.layers[index].shape;
        let data = read_view(&self.backend, &self.prepared, self.values[index]).await?;
        Tensor::new([h, w, c], data)?.permuted(&[2, 0, 1])
    }

    /// The smallest and largest value of each channel, pair by pair: of each layer, and of the kernels of each layer
    /// that has some.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn ranges(&self) -> impl Future<Output = Result<[Ranges; 2]>> + 'static + use<B> {
        let reading = read_view(&self.backend, &self.prepared, self.all_ranges[0]);
        let layers = self.values.len() - self.kernels.len();
        let indices = (0..layers).chain(self.kernels.iter().copied());
        let words = self.ranges.iter().map(|range| range.words);
        let places: Vec<(usize, usize)> = indices.zip(words).collect();
        async move {
            let all = reading.await?;
            let mut rest = all.as_slice();
            let mut found = Vec::new();
            for (index, words) in places {
                let (own, others) = rest.split_at(words);
                found.push((index, own.to_vec()));
                rest = others;
            }
            let kernels = found.split_off(layers);
            Ok([found, kernels])
        }
    }

    /// Where the smallest and largest value behind the input lie, `[2, 2]`: the first word and the last.
    pub fn global_range(&self) -> (B::Buffer, View) {
        self.placed(self.all_ranges[1])
    }

    /// Where layer `index`'s values (`[h, w, c]` words) and its channels' ranges (`[c, 2]`) lie.
    pub fn layer_buffers(&self, index: usize) -> [(B::Buffer, View); 2] {
        [self.values[index], self.ranges[index]].map(|view| self.placed(view))
    }

    /// Where layer `index`'s kernels ([`Network::kernel`]) and their ranges (`[out_channels, 2]`) lie, if it has kernels.
    pub fn kernel_buffers(&self, index: usize) -> Option<[(B::Buffer, View); 2]> {
        let at = self.kernels.iter().position(|&layer| layer == index)?;
        Some(self.layer_buffers(self.values.len() - self.kernels.len() + at))
    }

    fn placed(&self, view: View) -> (B::Buffer, View) {
        (self.backend.buffer(&self.prepared, view.buffer), view)
    }
}
