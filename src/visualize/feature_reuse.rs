//! How much each layer takes of the features of each layer before it, where features are concatenated: the mean
//! absolute weight of a layer's kernel on the channels that come from another (Huang et al. 2017, section 5 and
//! Fig. 5). Which channels are whose follows from the network's graph: through concatenations, and through layers
//! that keep channels apart.

use crate::compile::compile;
use crate::error::Result;
use crate::graph::Graph;
use crate::nn::Network;
use crate::ops;
use crate::tensor::{Spec, Tensor};

use super::{Needs, Picture, Recipe, Request, Shown, Visualization};

/// The method.
#[derive(Debug)]
pub(super) struct FeatureReuse;

impl Visualization for FeatureReuse {
    fn id(&self) -> &'static str {
        "feature-reuse"
    }

    fn name(&self) -> &'static str {
        "Reuse of features"
    }

    fn doc(&self) -> &'static str {
        "How much each layer takes of the features of each one before it, where features are concatenated: its mean \
         absolute weight on them (Huang et al. 2017, Fig. 5)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: false,
            image: false,
        }
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let (place, network) = ("feature reuse", request.network);
        let readers = readers_around(network, request.layer);
        let expected = "a layer that reads, makes or passes on concatenated features";
        request.require(!readers.is_empty(), place, expected)?;
        let mut graph = Graph::new();
        let g = &mut graph;
        let words = network.parameter_words();
        let parameters = g.external("parameters", Spec::f32([words]))?;
        let mut outputs = Vec::new();
        for reader in &readers {
            let weight = &network.parameters[reader.weight];
            outputs.push(ops::view(
                g,
                parameters,
                weight.offset,
                weight.shape.clone(),
            )?);
        }
        let is_source = |layer: &usize| {
            let mut parts = readers.iter().flat_map(|reader| &reader.parts);
            parts.any(|part| part[0] == *layer)
        };
        let sources: Vec<usize> = (0..network.layers.len()).filter(is_source).collect();
        let name = |layer: usize| network.layers[layer].id.as_str();
        let rows: Vec<&str> = sources.iter().map(|&source| name(source)).collect();
        let columns: Vec<&str> = readers.iter().map(|reader| name(reader.layer)).collect();
        let title = format!(
            "Mean absolute weight on the features of (rows, from above) {}, by (columns, from the left) {}; 0 where \
             there is no connection",
            rows.join(", "),
            columns.join(", ")
        );
        let decode = move |outputs: &[Vec<f32>]| {
            let mut table = vec![0.0; sources.len() * readers.len()];
            for (column, (reader, kernel)) in readers.iter().zip(outputs).enumerate() {
                for (source, share) in reader.shares(kernel) {
                    let row = sources.iter().position(|&other| other == source);
                    table[row.unwrap_or(0) * readers.len() + column] += share;
                }
            }
            let table = Tensor::new([1, sources.len(), readers.len()], table)?;
            Ok(vec![
                Picture::new(title.as_str(), &table, false)?.shown(Shown::Map),
            ])
        };
        Ok(Recipe {
            compiled: compile(&graph, place, &outputs)?,
            buffers: Vec::new(),
            runs: 1,
            decode: Box::new(decode),
            then: None,
        })
    }
}

/// Channels of a value that one layer has made: the layer, and how many.
type Part = [usize; 2];

/// A layer with a kernel over channels of known origin.
#[derive(Debug)]
struct Reader {
    layer: usize,
    /// Index of its kernel among the parameters, `[.., inputs, filters]`; with groups, `inputs` are those of a
    /// group, and only its filters see them.
    weight: usize,
    shape: [usize; 2],
    /// The channels that it reads, in order.
    parts: Vec<Part>,
}

impl Reader {
    /// For each part its layer and the mean absolute weight on it.
    fn shares(&self, kernel: &[f32]) -> Vec<(usize, f32)> {
        let [inputs, filters] = self.shape;
        let all: usize = self.parts.iter().map(|part| part[1]).sum();
        let groups = (all / inputs).max(1);
        let each = filters / groups;
        let on_channel = |channel: usize| -> f32 {
            let (group, input) = (channel / inputs, channel % inputs);
            let taps = kernel.chunks_exact(inputs * filters);
            let own = taps.flat_map(|tap| &tap[input * filters + group * each..][..each]);
            own.map(|weight| weight.abs()).sum()
        };
        let taps = kernel.len() / (inputs * filters);
        let mut first = 0;
        let share = |&[layer, channels]: &Part| {
            let sum: f32 = (first..first + channels).map(on_channel).sum();
            first += channels;
            (layer, sum / (channels * taps * each) as f32)
        };
        self.parts.iter().map(share).collect()
    }
}

/// Whose channels the output of a layer has.
fn parts(network: &Network, layer: usize) -> Vec<Part> {
    let info = &network.layers[layer];
    let channels = info.shape[0];
    let inputs = inputs(network, layer);
    let of = |index: usize| network.layers[index].shape[0];
    let gathers =
        inputs.len() > 1 && inputs.iter().map(|&index| of(index)).sum::<usize>() == channels;
    // A scale and a shift for each channel do not mix them.
    let passes = matches!(*inputs, [input] if of(input) == channels)
        && info.weight.is_none()
        && info.params <= 2 * channels;
    match gathers || passes {
        true => inputs
            .iter()
            .flat_map(|&index| parts(network, index))
            .collect(),
        false => vec![[layer, channels]],
    }
}

/// Indices of the layers that a layer takes.
fn inputs(network: &Network, layer: usize) -> Vec<usize> {
    let ids = network.layers[layer].inputs.iter();
    ids.filter_map(|id| Some(network.layer(id).ok()?.0))
        .collect()
}

/// The layers that read concatenated features which begin as those do that `layer` reads, passes on or takes part
/// in; none where there is no concatenation.
fn readers_around(network: &Network, layer: usize) -> Vec<Reader> {
    let read = |index: usize| -> Option<Reader> {
        let info = &network.layers[index];
        let [input] = *inputs(network, index) else {
            return None;
        };
        let weight = info.weight?;
        let &[.., taken, filters] = network.parameters[weight].shape.dims() else {
            return None;
        };
        let channels = network.layers[input].shape[0];
        // Not so for a dense layer behind maps, whose vector is longer than they are many.
        let groups = channels / taken.max(1);
        (groups * taken == channels && filters.is_multiple_of(groups.max(1))).then(|| Reader {
            layer: index,
            weight,
            shape: [taken, filters],
            parts: parts(network, input),
        })
    };
    let all: Vec<Reader> = (1..network.layers.len()).filter_map(read).collect();
    let begins = |reader: &Reader| reader.parts.first().map(|part| part[0]);
    let own = parts(network, layer);
    let takes_part = |joint: &&Reader| {
        let passes = || own.len() > 1 && Some(own[0][0]) == begins(joint);
        let is_source = || own.len() == 1 && joint.parts.iter().any(|part| part[0] == own[0][0]);
        let reads = |reader: &Reader| reader.layer == layer && begins(reader) == begins(joint);
        joint.parts.len() > 1 && (passes() || is_source() || all.iter().any(reads))
    };
    let around = all.iter().find(takes_part).and_then(begins);
    all.into_iter()
        .filter(|reader| around.is_some() && begins(reader) == around)
        .collect()
}
