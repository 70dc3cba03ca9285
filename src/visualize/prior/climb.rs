//! The ascent in the code: steps of one size along the gradient, a pull toward the mean code, and the clip.

use crate::autodiff::gradient;
use crate::compile::compile;
use crate::error::Result;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::Mode;
use crate::ops;
use crate::rng::Rng;
use crate::tensor::Spec;

use super::super::climb::{columns, divided};
use super::super::objective::{Objective, Sight, Subject};
use super::super::{Picture, Recipe, as_maps, class_name, image_from_output};
use super::Prior;

/// Most images at once; classes beyond that have none.
const MOST_IMAGES: usize = 64;

/// Deviation of the codes and of the free pixels' logits to begin with.
const START: f32 = 0.1;

/// One image for the unit, the layer, or each class.
struct Aims {
    titles: Vec<String>,
    /// `[images, count]`.
    weights: Vec<f32>,
    count: usize,
}

impl Aims {
    fn new(prior: &Prior<'_>, objective: &Objective) -> Self {
        let request = prior.request;
        let layer = &request.network.layers[request.layer];
        let (titles, count, first) = match objective.of {
            Subject::Channels => {
                let title = format!("{} unit {}", layer.id, request.channel);
                (vec![title], layer.shape[0], request.channel)
            }
            Subject::Layer => (vec![layer.id.clone()], 1, 0),
            Subject::Classes => {
                let classes = request.network.spec.classes;
                let name = |class| class_name(request.classes, class);
                (
                    (0..classes.min(MOST_IMAGES)).map(name).collect(),
                    classes,
                    0,
                )
            }
        };
        let one = |image| (0..count).map(move |i| f32::from(u8::from(i == first + image)));
        Self {
            weights: (0..titles.len()).flat_map(one).collect(),
            titles,
            count,
        }
    }
}

/// The recipe; it is given "generator", "code low" and "code high".
pub(super) fn recipe(prior: &Prior<'_>, objective: &Objective) -> Result<Recipe> {
    let (request, generator) = (prior.request, prior.generator);
    let aims = Aims::new(prior, objective);
    let n = aims.titles.len();
    let [c, h, w] = generator.image;
    let share = request.values.number("prior")? as f32;
    let mut graph = Graph::new();
    let g = &mut graph;
    let code = g.external("code", Spec::f32([n, generator.code]))?;
    let pixels = g.external("free pixels", Spec::f32([n, h, w, c]))?;
    let parameters = generator.parameters(g)?;
    let drawn = generator.draw(g, &parameters, code)?;
    let drawn = ops::affine(g, drawn, share, 0.0)?;
    let free = ops::affine(g, pixels, 1.0 - share, 0.0)?;
    let logits = ops::add(g, drawn, free)?;
    let images = prior.image(g, logits)?;
    let seen = request.normalize(g, images)?;
    let built = request.network.build(g, seen, Mode::Eval)?;
    let sight = Sight {
        maps: as_maps(g, built.layers[request.layer])?,
        logits: built.logits,
        aims: g.constant([n, aims.count], &aims.weights)?,
    };
    let shown = (objective.score)(g, &sight)?;
    let ones = g.constant([n], &vec![1.0; n])?;
    let rule = BackwardRule::Gradient;
    let pulls = gradient(g, shown, ones, &[code, pixels], rule)?;

    let rate = request.values.number("learningRate")? as f32;
    let keep = 1.0 - request.values.number("l2")? as f32;
    let moved = stepped(g, [code, pulls[0]], rate, keep)?;
    let moved = clipped(g, prior, moved)?;
    replace(g, code, moved)?;
    let moved = stepped(g, [pixels, pulls[1]], rate, keep)?;
    replace(g, pixels, moved)?;

    let mut rng = Rng::new(request.seed, "learned prior");
    let mut noise = |count| {
        let draws = (0..count).map(|_| (START * rng.normal()).to_bits());
        draws.collect::<Vec<u32>>()
    };
    let (titles, value) = (aims.titles, objective.value);
    Ok(Recipe {
        compiled: compile(&graph, "ascent in the code", &[images, shown])?,
        buffers: vec![
            ("code", noise(n * generator.code)),
            ("free pixels", noise(n * h * w * c)),
        ],
        runs: u32::try_from(request.values.integer("steps")?).unwrap_or(u32::MAX),
        decode: Box::new(move |outputs| {
            let images = outputs[0].chunks_exact(c * h * w);
            let each = images.zip(&outputs[1]).zip(&titles);
            each.map(|((image, shown), title)| {
                let title = format!("{title} · {value} {shown:.3}");
                Picture::new(title, &image_from_output(image, [c, h, w])?, false)
            })
            .collect()
        }),
        then: None,
    })
}

/// `keep x`, and a step of root mean square `rate` along the gradient for each image.
fn stepped(g: &mut Graph, [x, pull]: [ValueId; 2], rate: f32, keep: f32) -> Result<ValueId> {
    let shape = g.shape(x).clone();
    let n = shape.dims()[0];
    let each = columns(g, pull, n, 1.0)?;
    let step = divided(g, each, 1e-30)?;
    let step = ops::reshape(g, step, shape)?;
    let step = ops::affine(g, step, rate, 0.0)?;
    let kept = ops::affine(g, x, keep, 0.0)?;
    ops::add(g, kept, step)
}

/// Codes within their bounds.
fn clipped(g: &mut Graph, prior: &Prior<'_>, code: ValueId) -> Result<ValueId> {
    let low = prior.per_code(g, "code low")?;
    let high = prior.per_code(g, "code high")?;
    // low + relu(code - low), then high - relu(high - that).
    let minus = ops::affine(g, low, -1.0, 0.0)?;
    let above = ops::add(g, code, minus)?;
    let above = ops::relu(g, above)?;
    let code = ops::add(g, above, low)?;
    let minus = ops::affine(g, code, -1.0, 0.0)?;
    let rest = ops::add(g, minus, high)?;
    let rest = ops::relu(g, rest)?;
    let rest = ops::affine(g, rest, -1.0, 0.0)?;
    ops::add(g, rest, high)
}

/// Makes `value` what `state` is from now on.
fn replace(g: &mut Graph, state: ValueId, value: ValueId) -> Result<()> {
    let shape = g.shape(state).clone();
    let n = shape.elements();
    let zeros = g.constant(shape.clone(), &vec![0.0; n])?;
    let ones = g.constant(shape, &vec![1.0; n])?;
    ops::running_average(g, state, value, zeros, ones)?;
    Ok(())
}
