//! A layer's kernels as pictures: one per output channel and input channel, or one in color where
//! the layer sees three channels. A unit that only passes on what a convolution computes for it (behind a rectifier,
//! a normalization, a pooling) is shown with the convolution's.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::ops;
use crate::tensor::{Spec, Tensor};

use super::connections::chain;
use super::{Needs, Picture, Recipe, Request, Visualization};

/// The method.
#[derive(Debug)]
pub(super) struct Kernels;

impl Visualization for Kernels {
    fn id(&self) -> &'static str {
        "kernels"
    }

    fn name(&self) -> &'static str {
        "Kernel slices"
    }

    fn doc(&self) -> &'static str {
        "The weights with which the unit looks at its input, one picture per input channel."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: true,
            image: false,
        }
    }

    fn about_unit(&self) -> Option<&'static [(&'static str, &'static str)]> {
        Some(&[])
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let network = request.network;
        let kernels = |index: usize| {
            let layer = &network.layers[index];
            let weight = &network.parameters[layer.weight?];
            (weight.shape.rank() == 4).then_some((layer, weight))
        };
        let mut own = chain(network, request.layer).into_iter();
        let Some((layer, weight)) = own.find_map(kernels) else {
            let expected = "a layer with convolution kernels, or behind one";
            return Err(Error::mismatch("kernels", expected, request.layer_id()));
        };
        let passed = (layer.id != request.layer_id()).then(|| {
            let (here, there) = (request.layer_id(), &layer.id);
            format!("{here} has no kernels: these are of {there}, whose channels it passes on.")
        });
        let mut graph = Graph::new();
        let words = request.network.parameter_words();
        let parameters = graph.external("parameters", Spec::f32([words]))?;
        let value = ops::view(&mut graph, parameters, weight.offset, weight.shape.clone())?;
        let shape = weight.shape.clone();
        let (title, channel) = (layer.id.clone(), request.channel);
        let decode = move |outputs: &[Vec<f32>]| {
            let oihw = Tensor::new(shape.clone(), outputs[0].clone())?.permuted(&[3, 2, 0, 1])?;
            let [o, i, h, w] = oihw.shape().four("kernels")?;
            let data = oihw.to_vec();
            // A filter that is shared (over slices, over turns) makes several blocks of channels.
            let own = &data[channel % o * i * h * w..][..i * h * w];
            let depth = if i == 3 { 3 } else { 1 };
            let mut pictures = Vec::new();
            for (input, slice) in own.chunks_exact(depth * h * w).enumerate() {
                let mut name = format!("{title} kernel {channel}");
                if depth == 1 {
                    name.push_str(&format!(", input {input}"));
                }
                let slice = Tensor::new([depth, h, w], slice.to_vec())?;
                pictures.push(Picture::new(name, &slice, true)?);
            }
            if let Some(first) = pictures.first_mut() {
                first.note.clone_from(&passed);
            }
            Ok(pictures)
        };
        Ok(Recipe {
            compiled: compile(&graph, "kernels", &[value])?,
            buffers: Vec::new(),
            runs: 1,
            decode: Box::new(decode),
            then: None,
        })
    }
}
