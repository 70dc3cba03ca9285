//! How features come about (Zeiler & Fergus 2014, Fig. 4): for some units of a layer, what they see in the image of a
//! fixed sample that excites them most, for one state of the network after another while it trains.

use std::cell::RefCell;

use crate::autodiff::gradient;
use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::Mode;
use crate::ops::{self, Pool2d};
use crate::tensor::Spec;

use super::deconvnet::strongest_only;
use super::mosaic::mosaic;
use super::sample::split_field;
use super::sight::Sight;
use super::top_patches::strongest;
use super::{Course, Needs, Picture, Recipe, Request, Visualization};

/// The method.
#[derive(Debug)]
pub(super) struct FeatureEvolution;

/// Units in one picture, as in the figure.
const MOST_UNITS: usize = 6;

/// A state is kept when the network has trained this much longer than at the last that was kept.
const GROWTH: f32 = 1.5;

impl Visualization for FeatureEvolution {
    fn id(&self) -> &'static str {
        "feature-evolution"
    }

    fn name(&self) -> &'static str {
        "Features over training"
    }

    fn doc(&self) -> &'static str {
        "What units see in the image that excites them most, state after state while the network trains (Zeiler & \
         Fergus 2014, Fig. 4)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: true,
            image: false,
        }
    }

    fn streams(&self) -> bool {
        true
    }

    fn fields(&self) -> Vec<Field> {
        let images = "Images of the sample, drawn by the seed.";
        let live =
            "Go on while the network trains, until stopped or reset: reset, start it, then train.";
        vec![
            split_field("train"),
            Field::integer("images", images, 1.0, 1024.0, 64.0),
            Field::bool("live", live, true),
        ]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        request.behind_input("features over training")?;
        let layer = &request.network.layers[request.layer];
        let n_units = layer.shape[0].min(MOST_UNITS);
        let first = request.channel.min(layer.shape[0] - n_units);
        let data = request.data()?;
        let split = request.values.choice("split")?;
        let n_items = data.len(&split)?;
        let n = request.values.integer("images")?.clamp(1, n_items);

        let mut graph = Graph::new();
        let g = &mut graph;
        let own = g.external("sample counters", Spec::u32([4]))?;
        let indices = ops::epoch_indices(g, own, n_items, n)?;
        let batch = data.gather(g, &split, indices)?;
        let built = request.network.build(g, batch.images, Mode::Eval)?;
        let (values, _) = strongest(g, built.layers[request.layer])?;
        let values = ops::slice_channels(g, values, first, n_units)?;
        // Where in the batch each unit is strongest: one map of n pixels for each.
        let column = ops::reshape(g, values, [1, n, 1, n_units])?;
        let best = ops::max_pool2d_switches(g, column, Pool2d::whole([n, 1]))?;
        let best = ops::reshape(g, best, [n_units])?;
        let items = ops::gather_labels(g, indices, best)?;
        let images = data.gather(g, &split, items)?.images;
        let built = request.network.build(g, images, Mode::Eval)?;
        let value = built.layers[request.layer];
        let seed = seeds(g, value, first)?;
        let back = gradient(g, value, seed, &[images], BackwardRule::Deconvnet)?[0];
        let (values, positions) = strongest(g, value)?;
        let steps = g.external("counters", Spec::u32([4]))?;
        let outputs = [steps, values, positions, images, back];
        let (scales, shifts) = request.normalization;
        let history = History {
            title: format!("{} units {first} to {}", layer.id, first + n_units - 1),
            first,
            channels: layer.shape[0],
            sight: Sight::of(request),
            normalization: (scales.to_vec(), shifts.to_vec()),
            states: RefCell::default(),
        };
        Ok(Recipe {
            compiled: compile(&graph, "features over training", &outputs)?,
            buffers: vec![("sample counters", vec![0, request.seed as u32, 0, 0])],
            runs: 1,
            decode: Box::new(move |outputs| history.pictures(outputs)),
            then: None,
        })
    }

    fn course(&self, request: &Request<'_>) -> Result<Course> {
        Ok(Course {
            live: request.values.bool("live")?,
            ..Course::from(self.recipe(request)?)
        })
    }
}

/// For each image its own unit's strongest activation: image `i` that of unit `first + i`.
fn seeds(g: &mut Graph, value: ValueId, first: usize) -> Result<ValueId> {
    let strongest = strongest_only(g, value)?;
    let shape = g.shape(value);
    let (n, c) = (shape.dims()[0], shape.last());
    let pixels = shape.elements() / (n * c);
    let own = (0..n).flat_map(|image| (0..c).map(move |unit| unit == first + image));
    let own: Vec<f32> = own.map(|own| f32::from(u8::from(own))).collect();
    let own = g.constant([n, c], &own)?;
    ops::mul_along(g, strongest, own, [n, pixels, c])
}

/// A state of the network: for each unit the patch and what the unit sees in it.
#[derive(Debug)]
struct State {
    step: u32,
    patches: Vec<Vec<f32>>,
    seen: Vec<Vec<f32>>,
}

/// The states that are shown.
struct History {
    title: String,
    first: usize,
    channels: usize,
    sight: Sight,
    normalization: (Vec<f32>, Vec<f32>),
    states: RefCell<Vec<State>>,
}

impl History {
    fn pictures(&self, outputs: &[Vec<f32>]) -> Result<Vec<Picture>> {
        let [counters, values, positions, images, back] = outputs else {
            let found = outputs.len().to_string();
            return Err(Error::mismatch(
                "features over training",
                "five outputs",
                found,
            ));
        };
        let step = counters[0].to_bits();
        let mut now = State {
            step,
            patches: Vec::new(),
            seen: Vec::new(),
        };
        let [c, h, w] = self.sight.image;
        let (scales, shifts) = &self.normalization;
        let pairs = images
            .chunks_exact(c * h * w)
            .zip(back.chunks_exact(c * h * w));
        for (i, (image, back)) in pairs.enumerate() {
            let at = i * self.channels + self.first + i;
            let window = self.sight.window(positions[at].to_bits() as usize);
            let pixel = |at: usize| (image[at] - shifts[at % c]) / scales[at % c];
            now.patches.push(self.sight.crop(window, 0.5, pixel));
            // A unit that no image of the sample excites sees nothing.
            let most = back.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            let unit = if values[at] > 0.0 && most > 0.0 {
                most.recip()
            } else {
                0.0
            };
            now.seen
                .push(self.sight.crop(window, 0.0, |at| unit * back[at]));
        }
        let states = &mut *self.states.borrow_mut();
        // Weights that were drawn anew begin a new history.
        if states.last().is_some_and(|last| step < last.step) {
            states.clear();
        }
        // The last state is the present one; it stays when the next is far enough from the one before it.
        let before = states.len().checked_sub(2).and_then(|at| states.get(at));
        let is_kept = |last: &State| match before {
            Some(before) => last.step as f32 >= GROWTH * before.step.max(1) as f32,
            None => true,
        };
        if states
            .last()
            .is_some_and(|last| last.step == step || !is_kept(last))
        {
            states.pop();
        }
        states.push(now);
        self.drawn(states)
    }

    fn drawn(&self, states: &[State]) -> Result<Vec<Picture>> {
        let steps: Vec<String> = states.iter().map(|state| state.step.to_string()).collect();
        let [height, width] = self.sight.window(0).1;
        let size = [self.sight.image[0], height, width];
        let units = states.first().map_or(0, |state| state.seen.len());
        // A row for each unit, a column for each state.
        let table = |of: fn(&State) -> &Vec<Vec<f32>>| -> Vec<Vec<f32>> {
            let rows = (0..units).flat_map(|unit| states.iter().map(move |state| (unit, state)));
            rows.map(|(unit, state)| of(state)[unit].clone()).collect()
        };
        let title = format!("{} after steps {} (columns)", self.title, steps.join(", "));
        let across = states.len();
        Ok(vec![
            mosaic(title, &table(|state| &state.seen), size, across, true)?,
            mosaic(
                "The images they see this in".to_owned(),
                &table(|state| &state.patches),
                size,
                across,
                false,
            )?,
        ])
    }
}
