//! A layer's kernels as pictures: one per output channel and input channel, or one in color where
//! the layer sees three channels.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::ops;
use crate::tensor::{Spec, Tensor};

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
        let layer = &request.network.layers[request.layer];
        let weight = layer.weight.map(|index| &request.network.parameters[index]);
        let Some(weight) = weight.filter(|weight| weight.shape.rank() == 4) else {
            let expected = "a layer with convolution kernels";
            return Err(Error::mismatch("kernels", expected, layer.id.as_str()));
        };
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
            if i == 3 {
                let kernel = Tensor::new([3, h, w], own.to_vec())?;
                return Ok(vec![Picture::new(
                    format!("{title} kernel {channel}"),
                    &kernel,
                    true,
                )?]);
            }
            (0..i)
                .zip(own.chunks_exact(h * w))
                .map(|(input, slice)| {
                    let slice = Tensor::new([1, h, w], slice.to_vec())?;
                    Picture::new(
                        format!("{title} kernel {channel}, input {input}"),
                        &slice,
                        true,
                    )
                })
                .collect()
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
