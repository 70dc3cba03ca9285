//! The kernel of a unit as a picture: a slice for each map that it looks at; those of an image's three colors are one
//! in color. A unit that only passes on what another computes for it (behind a rectifier, a normalization, a pooling)
//! is shown with the other's.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::nn::Kernel;
use crate::ops;
use crate::tensor::{Spec, Tensor};

use super::connections::chain;
use super::mosaic::mosaic;
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
        "The weights with which the unit looks at its input: a slice for each channel that it reads."
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
            let mut picture = shown(&title, kernel, slice)?;
            picture.note.clone_from(&passed);
            Ok(vec![picture])
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

/// The slices of one kernel side by side, on one scale; in color where they look at the image's.
fn shown(title: &str, kernel: Kernel, slice: impl Fn(usize) -> Vec<f32>) -> Result<Picture> {
    let ([h, w], inputs) = (kernel.size, kernel.inputs);
    let all = || (0..inputs).flat_map(&slice).collect::<Vec<f32>>();
    // The image's colors; three maps of a hidden layer are none.
    if inputs == 3 && kernel.sender == 0 {
        return Picture::new(title, &Tensor::new([3, h, w], all())?, true);
    }
    let title = match inputs {
        1 => title.to_owned(),
        _ => format!("{title}: inputs 0 to {}, row by row", inputs - 1),
    };
    if h * w == 1 {
        let columns = (1..=COLUMNS).rev().find(|&n| inputs.is_multiple_of(n));
        let columns = columns.filter(|&n| n >= COLUMNS / 4).unwrap_or(inputs);
        let rows = Tensor::new([1, inputs / columns, columns], all())?;
        return Picture::new(title, &rows, true);
    }
    let across = (1..inputs).find(|n| n * n >= inputs).unwrap_or(1);
    let slices: Vec<Vec<f32>> = (0..inputs).map(slice).collect();
    mosaic(title, &slices, [1, h, w], across, true)
}
