//! What a unit is connected to: the strongest of the kernels through which it reads other units, and of those
//! through which others read it. Layers between that only pass channels on (activations, pooling, normalization,
//! flattening) are looked through; where branches meet, the search ends.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::nn::{Network, Parameter};
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
            let Some(kernel) = Kernel::of(network, index) else {
                continue;
            };
            let read_by_it = chain(network, kernel.sender).contains(&request.layer);
            let ends = [(own.contains(&index), kernel.sender), (read_by_it, index)];
            for (way, (_, other)) in ends.into_iter().enumerate().filter(|(_, (is, _))| *is) {
                let weight = &network.parameters[kernel.weight];
                let shape = weight.shape.clone();
                outputs.push(ops::view(&mut graph, parameters, weight.offset, shape)?);
                bundles.push((kernel, way == 0, network.layers[other].id.clone()));
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
                    pictures.extend(kernel.strongest(words, unit, *incoming, other)?);
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

/// The weights between two layers' units, as slices.
#[derive(Clone, Copy)]
struct Kernel {
    /// Index of the parameter.
    weight: usize,
    /// The layer whose units are read.
    sender: usize,
    /// Height and width of a slice.
    size: [usize; 2],
    /// Inputs of each unit, and units that share them.
    group: [usize; 2],
    /// Words from one element of a slice to the next, and from one input to the next.
    strides: [usize; 2],
}

impl Kernel {
    /// The kernel of layer `index`, if each of its units has one of its own over the units of one layer.
    fn of(network: &Network, index: usize) -> Option<Self> {
        let layer = &network.layers[index];
        let name = format!("{}.weight", layer.id);
        let weight = network.parameters.iter().position(|one| one.name == name)?;
        let place = |id: &String| network.layers.iter().position(|other| other.id == *id);
        let mut sender = layer.inputs.first().and_then(place)?;
        let mut inputs = network.layers[sender].shape;
        match *network.parameters[weight].shape.dims() {
            [h, w, i, o] if o == layer.shape[0] && inputs[0].is_multiple_of(i) => {
                let groups = inputs[0] / i;
                (o.is_multiple_of(groups)).then_some(Self {
                    weight,
                    sender,
                    size: [h, w],
                    group: [i, o / groups],
                    strides: [i * o, o],
                })
            }
            [all, o] if o == layer.shape[0] && inputs == [all, 1, 1] => {
                // A vector made of maps lists them channel by channel.
                let flat = &network.layers[sender];
                let maps = flat.inputs.first().and_then(place);
                if let Some(maps) = maps.filter(|_| flat.params == 0) {
                    let [c, h, w] = network.layers[maps].shape;
                    if c * h * w == all && flat.inputs.len() == 1 {
                        (sender, inputs) = (maps, [c, h, w]);
                    }
                }
                let [c, h, w] = inputs;
                Some(Self {
                    weight,
                    sender,
                    size: [h, w],
                    group: [c, o],
                    strides: [o, h * w * o],
                })
            }
            _ => None,
        }
    }

    /// The slices of largest norm of one unit: of the one that reads, or else of the one that is read.
    fn strongest(
        &self,
        words: &[f32],
        unit: usize,
        incoming: bool,
        other: &str,
    ) -> Result<Vec<Picture>> {
        let [h, w] = self.size;
        let [inputs, units] = self.group;
        let slice = |input: usize, output: usize| -> Vec<f32> {
            let first = input * self.strides[1] + output;
            (0..h * w)
                .map(|k| words[first + k * self.strides[0]])
                .collect()
        };
        let mut found: Vec<(f32, usize, Vec<f32>)> = if incoming {
            let first = unit / units * inputs;
            (0..inputs)
                .map(|i| (0.0, first + i, slice(i, unit)))
                .collect()
        } else {
            let first = unit / inputs * units;
            (first..first + units)
                .map(|o| (0.0, o, slice(unit % inputs, o)))
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
}
