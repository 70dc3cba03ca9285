//! What a unit is connected to: the strongest of the kernels through which it reads other units, and of those
//! through which others read it. Layers between that only pass channels on (activations, pooling, normalization,
//! flattening) are looked through; where branches meet, the search ends.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::nn::{Kernel, Network, Parameter};
use crate::ops;
use crate::tensor::{Spec, Tensor, ascending};

use super::{Needs, Picture, Recipe, Request, Visualization};

/// The method.
#[derive(Debug)]
pub(super) struct Connections;

/// Kernels shown each way.
const SHOWN: usize = 8;

impl Visualization for Connections {
    fn id(&self) -> &'static str {
        "connections"
    }

    fn name(&self) -> &'static str {
        "Strongest connections"
    }

    fn doc(&self) -> &'static str {
        "The kernels of largest norm through which this unit reads others, and through which others read it."
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
        let own = chain(network, request.layer);
        let mut graph = Graph::new();
        let words = network.parameter_words();
        let parameters = graph.external("parameters", Spec::f32([words]))?;
        let (mut outputs, mut bundles) = (Vec::new(), Vec::new());
        for index in 0..network.layers.len() {
            let Some(shared) = own_kernel(network, index) else {
                continue;
            };
            let kernel = shared.0;
            let read_by_it = chain(network, kernel.sender).contains(&request.layer);
            let ends = [(own.contains(&index), kernel.sender), (read_by_it, index)];
            for (way, (_, other)) in ends.into_iter().enumerate().filter(|(_, (is, _))| *is) {
                let weight = &network.parameters[kernel.weight];
                let shape = weight.shape.clone();
                outputs.push(ops::view(&mut graph, parameters, weight.offset, shape)?);
                bundles.push((shared, way == 0, network.layers[other].id.clone()));
            }
        }
        if bundles.is_empty() {
            let expected = "a layer with kernels right before or behind it";
            return Err(Error::mismatch("connections", expected, request.layer_id()));
        }
        let unit = request.channel;
        Ok(Recipe {
            compiled: compile(&graph, "connections", &outputs)?,
            buffers: Vec::new(),
            runs: 1,
            decode: Box::new(move |outputs| {
                let mut pictures = Vec::new();
                for ((kernel, incoming, other), words) in bundles.iter().zip(outputs) {
                    pictures.extend(strongest(*kernel, words, unit, *incoming, other)?);
                }
                Ok(pictures)
            }),
            then: None,
        })
    }
}

/// The layer and those before it whose channels it passes on, the one that computes them last.
pub(super) fn chain(network: &Network, mut index: usize) -> Vec<usize> {
    let mut found = vec![index];
    loop {
        let layer = &network.layers[index];
        let own = format!("{}.", layer.id);
        let computes = |weights: &Parameter| {
            weights.shape.rank() > 1 && weights.name.starts_with(own.as_str())
        };
        let [input] = layer.inputs.as_slice() else {
            return found;
        };
        let before = network.layers.iter().position(|other| other.id == *input);
        match before {
            Some(before)
                if network.layers[before].shape[0] == layer.shape[0]
                    && !network.parameters.iter().any(computes) =>
            {
                index = before;
            }
            _ => return found,
        }
        found.push(index);
    }
}

/// The kernel of layer `index`, if each of its units has one of its own, and how many units share their inputs.
fn own_kernel(network: &Network, index: usize) -> Option<(Kernel, usize)> {
    let kernel = network.kernel(index)?;
    let read = network.layers[kernel.sender].shape[0];
    let groups = read / kernel.inputs;
    let whole = groups * kernel.inputs == read && kernel.units.is_multiple_of(groups.max(1));
    let own = kernel.units == network.layers[index].shape[0];
    (own && whole).then(|| (kernel, kernel.units / groups.max(1)))
}

/// The slices of largest norm of one unit: of the one that reads, or else of the one that is read.
fn strongest(
    (kernel, sharing): (Kernel, usize),
    words: &[f32],
    unit: usize,
    incoming: bool,
    other: &str,
) -> Result<Vec<Picture>> {
    let [h, w] = kernel.size;
    let inputs = kernel.inputs;
    let mut found: Vec<(f32, usize, Vec<f32>)> = if incoming {
        let first = unit / sharing * inputs;
        (0..inputs)
            .map(|i| (0.0, first + i, kernel.slice(words, unit, i)))
            .collect()
    } else {
        let first = unit / inputs * sharing;
        (first..first + sharing)
            .map(|o| (0.0, o, kernel.slice(words, o, unit % inputs)))
            .collect()
    };
    for (norm, _, slice) in &mut found {
        *norm = slice.iter().map(|x| x * x).sum::<f32>().sqrt();
    }
    let weakest: Vec<f32> = found.iter().map(|(norm, ..)| -norm).collect();
    let strongest = ascending(&weakest).into_iter().take(SHOWN);
    let found: Vec<_> = strongest.map(|at| found[at].clone()).collect();
    let picture = |(norm, at, slice): (f32, usize, Vec<f32>)| {
        let way = if incoming { "from" } else { "to" };
        let sign = if slice.iter().sum::<f32>() < 0.0 {
            "−"
        } else {
            ""
        };
        let title = match slice.len() {
            1 => format!("{way} {other} unit {at}: {sign}{norm:.3}"),
            _ => format!("{way} {other} unit {at}: norm {norm:.3}"),
        };
        let picture = Picture::new(title, &Tensor::new([1, h, w], slice)?, true)?;
        Ok(picture.linked(other, at))
    };
    found.into_iter().map(picture).collect()
}
