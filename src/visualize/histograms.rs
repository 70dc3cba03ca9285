//! How the numbers of a layer are spread: its activations and the loss's gradients with respect to them for a batch
//! of images, its parameters and their gradients; or the activations of one unit alone. Live, each histogram becomes a picture with a row for every
//! state of the network that was met, and how far a training step moves the parameters is measured.

mod history;

use crate::autodiff::gradient;
use crate::compile::compile;
use crate::error::Result;
use crate::field::Field;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::{Mode, Parameter};
use crate::ops;
use crate::tensor::Spec;

use super::attribution::clamp;
use super::sample::split_field;
use super::{Buffers, Course, Needs, Recipe, Request, Visualization};
use history::History;

/// The method.
#[derive(Debug)]
pub(super) struct Histograms;

/// What is looked at; the first is the default.
const OF: [&str; 2] = ["layer", "unit"];

/// Values put out for each quantity.
const EACH: usize = 3;

impl Visualization for Histograms {
    fn id(&self) -> &'static str {
        "histograms"
    }

    fn name(&self) -> &'static str {
        "Histograms"
    }

    fn doc(&self) -> &'static str {
        "How the layer's activations, its weights and their gradients are spread; live, over training, with how far a \
         step moves the weights."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: false,
            image: false,
        }
    }

    fn fields(&self) -> Vec<Field> {
        let of = "All numbers of the layer, or the activations of one unit.";
        let images = "Images of the batch, drawn by the seed.";
        let live = "Go on while the network trains, until stopped: a row for each state of it.";
        vec![
            Field::choice("of", of, &OF, OF[0]),
            split_field("train"),
            Field::integer("images", images, 1.0, 256.0, 32.0),
            Field::integer(
                "bins",
                "Bins from the smallest value to the largest.",
                4.0,
                256.0,
                48.0,
            ),
            Field::bool("live", live, false),
        ]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        recipe(request, false)
    }

    fn course(&self, request: &Request<'_>) -> Result<Course> {
        let live = request.values.bool("live")?;
        Ok(Course {
            live,
            ..Course::from(recipe(request, live)?)
        })
    }
}

fn recipe(request: &Request<'_>, live: bool) -> Result<Recipe> {
    let (place, network) = ("histograms", request.network);
    request.behind_input(place)?;
    let data = request.data()?;
    let split = request.values.choice("split")?;
    let bins = request.values.integer("bins")?;
    let n_items = data.len(&split)?;
    let n = request.values.integer("images")?.clamp(1, n_items);
    let mut graph = Graph::new();
    let g = &mut graph;
    let counters = g.external("histogram counters", Spec::u32([4]))?;
    let indices = ops::epoch_indices(g, counters, n_items, n)?;
    let batch = data.gather(g, &split, indices)?;
    let built = network.build(g, batch.images, Mode::Eval)?;
    let losses = ops::cross_entropy(g, built.logits, batch.labels)?;
    let seed = g.constant([n], &vec![1.0 / n as f32; n])?;
    let layer = request.layer_id();
    let alone = request.values.choice("of")? == OF[1];
    let owns =
        |one: &Parameter| !alone && one.name.split_once('.').is_some_and(|(id, _)| id == layer);
    let all = network.parameters.iter().zip(&built.parameters);
    let own: Vec<(&Parameter, ValueId)> = all
        .filter(|(one, _)| owns(one))
        .map(|(one, view)| (one, *view))
        .collect();
    let mut values = vec![built.layers[request.layer]];
    values.extend(own.iter().map(|(_, view)| view));
    let mut gradients = gradient(g, losses, seed, &values, BackwardRule::Gradient)?;
    let mut names = vec![format!("Activations of {layer}")];
    if alone {
        values[0] = ops::slice_channels(g, values[0], request.channel, 1)?;
        gradients[0] = ops::slice_channels(g, gradients[0], request.channel, 1)?;
        names[0].push_str(&format!(" unit {}", request.channel));
    }
    names.extend(own.iter().map(|(one, _)| one.name.clone()));
    let mut outputs = Vec::new();
    for (value, gradient) in values.iter().zip(gradients) {
        outputs.extend(spread(g, *value, bins)?);
        outputs.extend(spread(g, gradient, bins)?);
    }
    let mut buffers = vec![("histogram counters", vec![0, request.seed as u32, 0, 0])];
    let parameters: Vec<&Parameter> = own.into_iter().map(|(one, _)| one).collect();
    if live {
        outputs.push(g.external("counters", Spec::u32([4]))?);
        if !parameters.is_empty() {
            outputs.push(moves(
                g,
                network.parameter_words(),
                &parameters,
                &mut buffers,
            )?);
        }
    }
    let shown = History::new(names, format!("{n} {split} images"), live);
    Ok(Recipe {
        compiled: compile(&graph, place, &outputs)?,
        buffers,
        runs: 1,
        decode: Box::new(move |outputs| shown.pictures(outputs)),
        then: None,
    })
}

/// Counts in bins, the smallest and the largest, and the sum of squares of a value.
fn spread(g: &mut Graph, x: ValueId, bins: usize) -> Result<[ValueId; EACH]> {
    let each = ops::channel_range(g, x)?;
    let both = g.shape(each).elements();
    let each = ops::reshape(g, each, [both, 1])?;
    let range = ops::channel_range(g, each)?;
    let range = ops::reshape(g, range, [2])?;
    let counts = ops::histogram(g, x, range, bins)?;
    Ok([counts, range, squares(g, x)?])
}

/// The sum of all squares, `[1]`.
fn squares(g: &mut Graph, x: ValueId) -> Result<ValueId> {
    let n = g.shape(x).elements();
    let square = ops::mul(g, x, x)?;
    ops::sum(g, square, [1, n, 1], [1], 1.0)
}

/// For each parameter the sum of squares of how far it moved when it moved last, as seen from one run to the next:
/// the network does not move in each run.
fn moves(
    g: &mut Graph,
    words: usize,
    parameters: &[&Parameter],
    buffers: &mut Buffers,
) -> Result<ValueId> {
    let n = parameters.len();
    // A layer's parameters lie one behind the other.
    let first = parameters[0].offset;
    let last = parameters[n - 1];
    let extent = last.offset + last.shape.elements() - first;
    let flat = g.external("parameters", Spec::f32([words]))?;
    let now = ops::view(g, flat, first, [extent])?;
    let before = g.external("weights before", Spec::f32([extent]))?;
    let minus = ops::affine(g, before, -1.0, 0.0)?;
    let change = ops::add(g, now, minus)?;
    let mut each = Vec::new();
    for one in parameters {
        let own = ops::view(g, change, one.offset - first, [one.shape.elements()])?;
        let own = squares(g, own)?;
        each.push(ops::reshape(g, own, [1, 1])?);
    }
    let each = match each[..] {
        [one] => one,
        _ => ops::concat_channels(g, &each)?,
    };
    let each = ops::reshape(g, each, [n])?;
    let any = ops::sum(g, each, [1, n, 1], [1], 1e30)?;
    let any = clamp(g, any, 0.0, 1.0)?;
    let take = ops::broadcast(g, any, [1, n, 1], [n], 1.0)?;
    let keep = ops::affine(g, take, -1.0, 1.0)?;
    let moved = g.external("moves", Spec::f32([n]))?;
    let moved = ops::running_average(g, moved, each, keep, take)?;
    let none = g.constant([extent], &vec![0.0; extent])?;
    let whole = g.constant([extent], &vec![1.0; extent])?;
    ops::running_average(g, before, now, none, whole)?;
    buffers.push(("weights before", vec![0; extent]));
    buffers.push(("moves", vec![0; n]));
    Ok(moved)
}
