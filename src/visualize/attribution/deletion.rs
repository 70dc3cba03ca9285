//! Deletion and insertion (Petsiuk et al. 2018, section 4.3): the pixels are taken away, or put into an empty
//! image, in the order in which the attribution ranks them, and the class's probability is drawn. A good
//! ranking makes it fall early and rise early; beside it is what a random order does.

use crate::compile::compile;
use crate::error::Result;
use crate::field::Field;
use crate::ops;
use crate::rng::Rng;
use crate::tensor::{Spec, ascending};

use super::super::{Group, Needs, Next, Picture, Recipe, Request, Visualization};
use super::baseline::{baseline, baseline_field};
use super::maps::{Answer, Asker, clamp};
use super::scene::Scene;
use super::{IMAGE, chosen, class_field, map_recipe, method_field};

/// The method.
#[derive(Debug)]
pub(in super::super) struct Deletion;

/// Which curve: pixels taken away or put in, in the attribution's order or in a random one.
const CURVES: usize = 4;

impl Visualization for Deletion {
    fn id(&self) -> &'static str {
        "deletion-insertion"
    }

    fn name(&self) -> &'static str {
        "Deletion and insertion curves"
    }

    fn doc(&self) -> &'static str {
        "How the class's probability falls as pixels are deleted in the attribution's order, and rises as they \
         are inserted (Petsiuk et al. 2018)."
    }

    fn needs(&self) -> Needs {
        IMAGE
    }

    fn group(&self) -> Group {
        Group::Trust
    }

    fn fields(&self) -> Vec<Field> {
        vec![
            method_field(),
            class_field(),
            baseline_field("What deleted pixels become."),
            Field::integer("steps", "Steps from no pixel to all.", 2.0, 128.0, 28.0),
        ]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let (method, inner) = chosen(request)?;
        let mut recipe = map_recipe(method, &inner)?;
        let steps = request.values.integer("steps")?;
        let seed = request.seed;
        let feed = move |outputs: &[Vec<f32>]| {
            let map = &outputs[0];
            let mut rng = Rng::new(seed, "random order");
            let random: Vec<f32> = map.iter().map(|_| rng.uniform()).collect();
            let orders = [levels(map, steps), levels(&random, steps)].concat();
            let words = orders.into_iter().map(f32::to_bits).collect();
            Ok(vec![("pixel orders", words)])
        };
        recipe.then = Some(Box::new(Next {
            recipe: walk(request, steps)?,
            feed: Box::new(feed),
        }));
        Ok(recipe)
    }
}

/// Of each pixel the step, from 0 on, before which it is still there: the strongest go first.
fn levels(map: &[f32], steps: usize) -> Vec<f32> {
    let negative: Vec<f32> = map.iter().map(|value| -value).collect();
    let order = ascending(&negative);
    let mut levels = vec![0.0; map.len()];
    for (rank, at) in order.into_iter().enumerate() {
        levels[at] = (rank * steps / map.len()) as f32;
    }
    levels
}

/// The network's answers to the image with more and more pixels taken away, for orders that are to be fed.
fn walk(request: &Request<'_>, steps: usize) -> Result<Recipe> {
    let points = steps + 1;
    let samples = points * CURVES;
    let mut scene = Scene::new(request, samples)?;
    let batch = scene.batch();
    let [h, w, c] = scene.size();
    // The number of steps, and which of the two orders and of the two images is meant.
    let step = scene.rows(1, |i| (i / CURVES) as f32)?;
    let which = scene.rows(2, |i| f32::from(u8::from(i / 2 % CURVES / 2 == i % 2)))?;
    let inserts = scene.rows(1, |i| (i % 2) as f32)?;
    let empty = baseline(request)?;
    let g = &mut scene.graph;
    let orders = g.external("pixel orders", Spec::f32([2, h * w]))?;
    let order = ops::matmul(g, which, orders, false, false)?;
    let minus = ops::broadcast(g, step, [batch, h * w, 1], [batch, h * w], -1.0)?;
    let left = ops::add(g, order, minus)?;
    let left = ops::affine(g, left, 1.0, 1.0)?;
    let kept = clamp(g, left, 0.0, 1.0)?;
    // Where pixels are inserted, those are there that would be gone: |inserts - kept|, as both are 0 or 1.
    let flip = ops::broadcast(g, inserts, [batch, h * w, 1], [batch, h * w], 1.0)?;
    let minus = ops::affine(g, kept, -1.0, 0.0)?;
    let there = ops::add(g, flip, minus)?;
    let there = super::maps::size(g, there)?;
    let there = ops::broadcast(g, there, [batch * h * w, c, 1], [batch, h, w, c], 1.0)?;
    let empty = g.constant([1, h, w, c], &empty)?;
    let minus = ops::affine(g, empty, -1.0, 0.0)?;
    let change = ops::add(g, scene.image, minus)?;
    let change = scene.repeated(change)?;
    let empty = scene.repeated(empty)?;
    let g = &mut scene.graph;
    let change = ops::mul(g, change, there)?;
    let images = ops::add(g, empty, change)?;
    let built = scene.answer(images)?;
    let present = scene.present()?;
    let g = &mut scene.graph;
    let probabilities = ops::softmax(g, built.logits)?;
    let now = ops::matmul(g, probabilities, scene.class, false, true)?;
    let share = ops::matmul(g, present, now, true, false)?;
    let all = scene.total("curves", share)?;
    let outputs = [all, scene.built.logits, scene.class];
    scene.advance()?;
    let place = "deletion-insertion";
    let asker = Asker::new(place, request);
    let decode = move |outputs: &[Vec<f32>]| {
        let class = asker.name(Answer::new(&asker, &outputs[1], &outputs[2])?.class);
        let curve = |which: usize| -> Vec<f32> {
            outputs[0]
                .iter()
                .skip(which)
                .step_by(CURVES)
                .copied()
                .collect()
        };
        let mut pictures = Vec::new();
        for (name, at) in [("deleted", 0), ("inserted", 1)] {
            let rows = [curve(at), curve(at + 2)];
            let [own, random] = [&rows[0], &rows[1]].map(|row| area(row));
            let title = format!(
                "Probability of {class} as pixels are {name} · area {own:.2} (dashed: in random order, {random:.2})"
            );
            pictures.push(Picture::curves(title, &rows)?);
        }
        Ok(pictures)
    };
    Ok(Recipe {
        compiled: compile(&scene.graph, place, &outputs)?,
        runs: scene.runs(),
        buffers: scene.buffers,
        decode: Box::new(decode),
        then: None,
    })
}

/// The area under a curve over equal steps from 0 to 1.
fn area(curve: &[f32]) -> f32 {
    let steps = curve.len().saturating_sub(1).max(1) as f32;
    let pairs = curve.windows(2);
    pairs.map(|pair| 0.5 * (pair[0] + pair[1])).sum::<f32>() / steps
}
