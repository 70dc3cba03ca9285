//! The kernel of a unit as pictures: one for each map that it looks at, one in color where these are three, one of
//! all where they are single numbers. A unit that only passes on what another computes for it (behind a rectifier, a
//! normalization, a pooling) is shown with the other's.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::nn::Kernel;
use crate::ops;
use crate::tensor::{Spec, Tensor};

use super::connections::chain;
use super::{Needs, Picture, Recipe, Request, Visualization};

/// The method.
#[derive(Debug)]
pub(super) struct Kernels;

/// Single numbers side by side, where their count divides well.
const COLUMNS: usize = 32;

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
        let mut own = chain(network, request.layer).into_iter();
        let Some((layer, kernel)) = own.find_map(|layer| Some((layer, network.kernel(layer)?)))
        else {
            let expected = "a layer with kernels, or behind one";
            return Err(Error::mismatch("kernels", expected, request.layer_id()));
        };
        let id = network.layers[layer].id.clone();
        let passed = (layer != request.layer).then(|| {
            let here = request.layer_id();
            format!("{here} has no kernels: these are of {id}, whose channels it passes on.")
        });
        let mut graph = Graph::new();
        let words = network.parameter_words();
        let parameters = graph.external("parameters", Spec::f32([words]))?;
        let weight = &network.parameters[kernel.weight];
        let value = ops::view(&mut graph, parameters, weight.offset, weight.shape.clone())?;
        let channel = request.channel;
        let decode = move |outputs: &[Vec<f32>]| {
            let title = format!("{id} kernel {channel}");
            let slice = |input| kernel.slice(&outputs[0], channel, input);
            let mut pictures = shown(&title, kernel, slice)?;
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

/// The slices of one kernel: in color where it has three, as one picture where each is a single number.
fn shown(title: &str, kernel: Kernel, slice: impl Fn(usize) -> Vec<f32>) -> Result<Vec<Picture>> {
    let ([h, w], inputs) = (kernel.size, kernel.inputs);
    let all = || (0..inputs).flat_map(&slice).collect::<Vec<f32>>();
    if inputs == 3 {
        let color = Tensor::new([3, h, w], all())?;
        return Ok(vec![Picture::new(title, &color, true)?]);
    }
    if h * w == 1 {
        let columns = (1..=COLUMNS).rev().find(|&n| inputs.is_multiple_of(n));
        let columns = columns.filter(|&n| n >= COLUMNS / 4).unwrap_or(inputs);
        let title = format!("{title}, inputs 0 to {}, row by row", inputs - 1);
        let row = Tensor::new([1, inputs / columns, columns], all())?;
        return Ok(vec![Picture::new(title, &row, true)?]);
    }
    let one = |input: usize| {
        let title = format!("{title}, input {input}");
        Picture::new(title, &Tensor::new([1, h, w], slice(input))?, true)
    };
    (0..inputs).map(one).collect()
}
