//! How the numbers of a layer are spread: its activations and the loss's gradients with respect to them for a batch
//! of images, its parameters and their gradients. Live, each histogram becomes a picture with a row for every
//! state of the network that was met, and how far a training step moves the parameters is measured.

use std::cell::RefCell;

use crate::autodiff::gradient;
use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::{Mode, Parameter};
use crate::ops;
use crate::tensor::{Spec, Tensor};

use super::attribution::clamp;
use super::sample::split_field;
use super::{Buffers, Course, Needs, Picture, Recipe, Request, Shown, Visualization, check_finite};

/// The method.
#[derive(Debug)]
pub(super) struct Histograms;

/// Most states of the network that a picture over time shows; with more, every second is left out.
const MOST_STATES: usize = 128;

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
        let images = "Images of the batch, drawn by the seed.";
        let live = "Go on while the network trains, until stopped: a row for each state of it.";
        vec![
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
    let owns = |one: &Parameter| one.name.split_once('.').is_some_and(|(id, _)| id == layer);
    let all = network.parameters.iter().zip(&built.parameters);
    let own: Vec<(&Parameter, ValueId)> = all
        .filter(|(one, _)| owns(one))
        .map(|(one, view)| (one, *view))
        .collect();
    let mut values = vec![built.layers[request.layer]];
    values.extend(own.iter().map(|(_, view)| view));
    let gradients = gradient(g, losses, seed, &values, BackwardRule::Gradient)?;
    let mut names = vec![format!("Activations of {layer}")];
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
    let shown = History {
        names,
        said: format!("{n} {split} images"),
        states: RefCell::new(Vec::new()),
        live,
    };
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

/// Of one quantity: how many numbers are in each bin, between what ends, and the sum of their squares.
#[derive(Debug, Clone)]
struct Counted {
    counts: Vec<f32>,
    ends: [f32; 2],
    squares: f32,
}

/// The network after some steps.
#[derive(Debug)]
struct State {
    step: u32,
    counted: Vec<Counted>,
    /// For each parameter the size of a step's move, as a share of its own.
    moves: Vec<f32>,
}

/// What has been seen so far.
struct History {
    /// Of the activations and of each parameter; the gradient of each follows it.
    names: Vec<String>,
    said: String,
    states: RefCell<Vec<State>>,
    live: bool,
}

impl History {
    fn pictures(&self, outputs: &[Vec<f32>]) -> Result<Vec<Picture>> {
        let quantities = 2 * self.names.len();
        if outputs.len() < EACH * quantities {
            let found = outputs.len().to_string();
            return Err(Error::mismatch(
                "histograms",
                "three outputs of each",
                found,
            ));
        }
        let mut now = Vec::new();
        for (at, parts) in outputs.chunks_exact(EACH).take(quantities).enumerate() {
            check_finite(&self.name(at), "numbers", &parts[1])?;
            now.push(Counted {
                counts: parts[0].clone(),
                ends: [parts[1][0], parts[1][1]],
                squares: parts[2][0],
            });
        }
        let mut pictures = Vec::new();
        for (at, counted) in now.iter().enumerate() {
            pictures.push(self.curve(at, counted, &now[at / 2 * 2])?);
        }
        if !self.live {
            return Ok(pictures);
        }
        let rest = &outputs[EACH * quantities..];
        let step = rest[0][0].to_bits();
        let states = &mut *self.states.borrow_mut();
        let last = states.last().map(|state| state.step);
        // Weights that were drawn anew begin a new history.
        if last.is_some_and(|last| step < last) {
            states.clear();
        }
        if last != Some(step) {
            let steps = step.saturating_sub(last.unwrap_or(step)) as f32;
            let moved = rest.get(1).map_or(&[] as &[f32], Vec::as_slice);
            let own = now.iter().skip(2).step_by(2);
            let moves = moved.iter().zip(own);
            let share = |(moved, own): (&f32, &Counted)| (moved / own.squares).sqrt() / steps;
            let moves = moves.map(share).collect();
            states.push(State {
                step,
                counted: now,
                moves,
            });
        }
        if states.len() > MOST_STATES {
            let mut index = 0;
            states.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        if states.len() > 1 {
            for at in 0..quantities {
                pictures.push(self.over_time(at, states)?);
            }
            pictures.extend(self.moved(states)?);
        }
        Ok(pictures)
    }

    /// What a quantity is called.
    fn name(&self, at: usize) -> String {
        match at % 2 {
            0 => self.names[at / 2].clone(),
            _ => format!("Gradient of the loss by {}", lowered(&self.names[at / 2])),
        }
    }

    /// A histogram as a curve, its fullest bin 1.
    fn curve(&self, at: usize, counted: &Counted, of: &Counted) -> Result<Picture> {
        let all: f32 = counted.counts.iter().sum();
        let most = counted.counts.iter().copied().fold(0.0, f32::max);
        let row = counted.counts.iter().map(|count| count / most.max(1.0));
        let [low, high] = counted.ends.map(short);
        let mut title = format!(
            "{} · {all} numbers, {low} to {high}, fullest bin {:.1} %",
            self.name(at),
            100.0 * most / all.max(1.0)
        );
        // Activations, and the gradients of all, are those of the batch.
        if at < 2 || at % 2 == 1 {
            title.push_str(&format!(" · {}", self.said));
        }
        if at > 2 && at % 2 == 1 {
            let share = short((counted.squares / of.squares).sqrt());
            title.push_str(&format!(
                " · {share} of the length of {}",
                self.names[at / 2]
            ));
        }
        Ok(Picture::curves(title, &[row.collect()])?.between(low, high))
    }

    /// A quantity's histograms over time: a row for each state, all between the same ends.
    fn over_time(&self, at: usize, states: &[State]) -> Result<Picture> {
        let all = || states.iter().map(|state| &state.counted[at]);
        let low = all().map(|one| one.ends[0]).fold(f32::INFINITY, f32::min);
        let high = all()
            .map(|one| one.ends[1])
            .fold(f32::NEG_INFINITY, f32::max);
        let bins = states[0].counted[at].counts.len();
        let rows: Vec<f32> = all().flat_map(|one| rebinned(one, [low, high])).collect();
        let title = format!(
            "{} over training · step {} (above) to {} (below), {} (left) to {} (right)",
            self.name(at),
            states[0].step,
            states[states.len() - 1].step,
            short(low),
            short(high)
        );
        let table = Tensor::new([1, states.len(), bins], rows)?;
        Ok(Picture::new(title, &table, false)?.shown(Shown::Map))
    }

    /// How far a step moves each parameter, over time.
    fn moved(&self, states: &[State]) -> Result<Vec<Picture>> {
        // Nothing is known of how the first state came about.
        let [_, known @ ..] = states else {
            return Ok(Vec::new());
        };
        let curve = |(at, name): (usize, &String)| {
            let each = known.iter().filter_map(|state| state.moves.get(at));
            let row: Vec<f32> = each.map(|share| share.max(1e-12).log10()).collect();
            let title = format!(
                "Update-to-weight ratio of {name} in a step, as a power of ten (-3 is usual)"
            );
            let step =
                |state: Option<&State>| format!("step {}", state.map_or(0, |state| state.step));
            Ok(Picture::curves(title, &[row])?.between(step(known.first()), step(known.last())))
        };
        self.names.iter().skip(1).enumerate().map(curve).collect()
    }
}

/// A number in few letters.
fn short(number: f32) -> String {
    match number.abs() {
        size if size == 0.0 || (1e-3..1e4).contains(&size) => format!("{number:.3}"),
        _ => format!("{number:.1e}"),
    }
}

/// A name within a sentence.
fn lowered(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// Shares of the numbers in as many bins between other ends, those within a bin taken as evenly spread.
fn rebinned(counted: &Counted, [low, high]: [f32; 2]) -> Vec<f32> {
    let bins = counted.counts.len();
    let all: f32 = counted.counts.iter().sum::<f32>().max(1.0);
    let [first, last] = counted.ends;
    // Numbers that are nearly the same have a bin to themselves.
    let width = (last - first).max((high - low) / bins as f32);
    let first = first.min(high - width);
    let width = width.max(f32::MIN_POSITIVE);
    let below = |edge: f32| {
        let at = ((edge - first) / width).clamp(0.0, 1.0) * bins as f32;
        let whole = (at as usize).min(bins);
        let part = counted
            .counts
            .get(whole)
            .map_or(0.0, |count| count * (at - whole as f32));
        (counted.counts[..whole].iter().sum::<f32>() + part) / all
    };
    let edge = |bin: usize| low + (high - low) * bin as f32 / bins as f32;
    (0..bins)
        .map(|bin| below(edge(bin + 1)) - below(edge(bin)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Counted, rebinned};

    #[test]
    fn other_bins_hold_the_same_shares() {
        let counted = Counted {
            counts: vec![4.0, 0.0, 2.0, 2.0],
            ends: [0.0, 4.0],
            squares: 0.0,
        };
        assert_eq!(rebinned(&counted, [0.0, 4.0]), [0.5, 0.0, 0.25, 0.25]);
        assert_eq!(rebinned(&counted, [-4.0, 4.0]), [0.0, 0.0, 0.5, 0.5]);
        assert_eq!(rebinned(&counted, [0.0, 8.0]), [0.5, 0.5, 0.0, 0.0]);
    }
}
