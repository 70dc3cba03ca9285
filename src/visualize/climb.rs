//! One step of an ascent as a program: image from coefficients, movements, network, objective, penalties,
//! gradient, optimizer, touches. [`ascent`](super::ascent) runs it.

use crate::autodiff::gradient;
use crate::compile::{Compiled, compile};
use crate::error::{Error, Result};
use crate::field::Values;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::{Built, Mode};
use crate::ops;
use crate::rng::Rng;
use crate::tensor::Spec;
use crate::train::{N_SETTINGS, OptimizerInfo, Update};

use super::palette::Palette;
use super::parameterization::{Canvas, Parameterization};
use super::regularizer::{Action, REGULARIZERS, Touched};
use super::transformation::Scene;
use super::{Buffers, Request};

/// What is raised, per image `[n]`, and the number that is shown for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal {
    pub(super) raised: ValueId,
    pub(super) shown: ValueId,
}

/// What a step is made of.
pub(super) struct Climb<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) canvas: &'a Canvas,
    pub(super) palette: &'a Palette,
    pub(super) way: &'a Parameterization,
    pub(super) optimizer: &'a OptimizerInfo,
    /// Steps; how many, no one counts where the image is live.
    pub(super) runs: u32,
    /// Coefficients of all images.
    pub(super) words: usize,
    /// How far the root mean square of an image's coefficients may go.
    pub(super) limit: f32,
}

/// A step, ready to run. Its outputs are the images `[n, h, w, c]`, the numbers that are shown, and the
/// squared lengths of the gradients with respect to the pixels, `[n]`.
pub(super) struct Program {
    pub(super) compiled: Compiled,
    /// Outside buffers of the movements.
    pub(super) movements: Buffers,
    /// Whether there are penalties.
    pub(super) regularized: bool,
}

/// The optimizer's state.
const SLOTS: [&str; 2] = ["first slot", "second slot"];

/// Each image's squared gradient so far.
const SO_FAR: &str = "squares so far";

/// The values that the step behind the gradient is about.
#[derive(Debug, Clone, Copy)]
struct Step {
    coefficients: ValueId,
    /// The descending gradient of the coefficients.
    direction: ValueId,
    counters: ValueId,
}

impl Climb<'_> {
    /// The step towards `goal`, which is given the network's values for the moved images.
    ///
    /// # Errors
    /// When a setting does not fit the others.
    pub(super) fn program(
        &self,
        goal: impl FnOnce(&mut Graph, &Built) -> Result<Goal>,
    ) -> Result<Program> {
        let Self {
            request, canvas, ..
        } = self;
        let (n, [c, h, w]) = (canvas.images, canvas.shape);
        let mut graph = Graph::new();
        let g = &mut graph;
        let coefficients = g.external("coefficients", Spec::f32([self.words]))?;
        let planes = (self.way.draw)(g, canvas, coefficients)?;
        let base = g.external("base", Spec::f32([h, w, c]))?;
        let images = canvas.color(g, planes, self.palette, base)?;
        let normalized = request.normalize(g, images)?;
        let counters = g.external("ascent counters", Spec::u32([4]))?;
        let mut scene = Scene {
            values: &request.values,
            counters,
            steps: self.runs,
            seen: request.network.layers[request.layer].receptive_field.size,
            buffers: Vec::new(),
        };
        let moved = scene.moved(g, normalized)?;
        let built = request.network.build(g, moved, Mode::Eval)?;
        let Goal { raised, shown } = goal(g, &built)?;

        let loss = ops::affine(g, raised, -1.0, 0.0)?;
        let (loss, regularized) = penalized(g, loss, normalized, &request.values)?;
        let ones = g.constant([n], &vec![1.0; n])?;
        // An image that excites nothing, at first or on its way, learns where to go.
        let rule = BackwardRule::Redirected;
        let found = gradient(g, loss, ones, &[coefficients, images], rule)?;
        let pull = ops::mul(g, found[1], found[1])?;
        let pull = ops::sum(g, pull, [n, h * w * c, 1], [n], 1.0)?;
        let step = Step {
            coefficients,
            direction: self.unit_rows(g, found[0])?,
            counters,
        };
        self.update(g, step)?;
        self.touch(g, step)?;
        if self.way.linear {
            self.hold(g, step)?;
        }
        ops::advance(g, counters)?;
        Ok(Program {
            compiled: compile(&graph, "gradient ascent", &[images, shown, pull])?,
            movements: scene.buffers,
            regularized,
        })
    }

    /// Images whose steps are of one size each: all of them, or the batch as one.
    fn rows(&self) -> usize {
        if self.way.linear {
            self.canvas.images
        } else {
            1
        }
    }

    /// The gradient of each image over the root of its mean square now and so far: images of weak and of
    /// strong units take steps of one size, in the gradient's own direction, that grow smaller as in Adagrad
    /// (Duchi et al. 2011), so that they settle. Live images, whose network changes, forget what was.
    fn unit_rows(&self, graph: &mut Graph, x: ValueId) -> Result<ValueId> {
        let n = self.rows();
        let [columns, now] = columns(graph, x, n, 1.0)?;
        let (keep, take) = match self.request.values.bool("live")? {
            true => (0.99, 0.01),
            false => (1.0, 1.0),
        };
        let so_far = graph.external(SO_FAR, Spec::f32([n]))?;
        let keep = graph.constant([n], &vec![keep; n])?;
        let take = graph.constant([n], &vec![take; n])?;
        let so_far = ops::running_average(graph, so_far, now, keep, take)?;
        let both = ops::add(graph, now, so_far)?;
        divided(graph, [columns, both], 1e-30)
    }

    /// The optimizer's step.
    fn update(&self, graph: &mut Graph, step: Step) -> Result<()> {
        let mut slots = Vec::new();
        for name in SLOTS.iter().take(self.optimizer.slots) {
            slots.push(graph.external(name, Spec::f32([self.words]))?);
        }
        let settings = graph.external("ascent settings", Spec::f32([N_SETTINGS]))?;
        let update = Update {
            parameters: step.coefficients,
            gradients: step.direction,
            slots: &slots,
            settings,
            counters: step.counters,
            tensors: &[(0, self.words)],
        };
        (self.optimizer.update)(graph, &update)
    }

    /// What regularizers do to the pixels behind the step.
    fn touch(&self, graph: &mut Graph, step: Step) -> Result<()> {
        let [c, h, w] = self.canvas.shape;
        let shape = [self.canvas.images, h, w, c];
        for entry in REGULARIZERS {
            let Action::Touch(name, touch) = entry.action else {
                continue;
            };
            if self.request.values.number(name)? <= 0.0 {
                continue;
            }
            if !self.way.pixels {
                let expected = "an image that is optimized pixel by pixel";
                return Err(Error::mismatch(name, expected, self.way.id));
            }
            let touched = Touched {
                canvas: self.canvas,
                pixels: ops::reshape(graph, step.coefficients, shape)?,
                gradient: ops::reshape(graph, step.direction, shape)?,
                counters: step.counters,
            };
            let pixels = touch(graph, &touched, &self.request.values)?;
            let pixels = ops::reshape(graph, pixels, [self.words])?;
            self.replace(graph, step, pixels)?;
        }
        Ok(())
    }

    /// Shrinks the coefficients of each image to a root mean square of at most the limit, softly:
    /// `z / sqrt(1 + mean(z^2) / limit^2)`. What is optimized is then where an image's contrast goes, and
    /// not how much of it there is.
    fn hold(&self, graph: &mut Graph, step: Step) -> Result<()> {
        let scale = 1.0 / (self.limit * self.limit);
        let columns = columns(graph, step.coefficients, self.canvas.images, scale)?;
        let held = divided(graph, columns, 1.0)?;
        self.replace(graph, step, held)
    }

    /// Writes `coefficients` in place of those that there are.
    fn replace(&self, graph: &mut Graph, step: Step, coefficients: ValueId) -> Result<()> {
        let nothing = graph.constant([self.words], &vec![0.0; self.words])?;
        let all = graph.constant([self.words], &vec![1.0; self.words])?;
        ops::running_average(graph, step.coefficients, coefficients, nothing, all)?;
        Ok(())
    }

    /// What the outside buffers hold at first, those of goal and movements aside.
    ///
    /// # Errors
    /// When the image to start from is missing.
    pub(super) fn buffers(&self) -> Result<Buffers> {
        let Self { request, way, .. } = self;
        let [_, h, w] = self.canvas.shape;
        let start = request.values.choice("start")?;
        let mut coefficients = vec![0.0; self.words];
        if start == "noise" || !way.linear {
            let mut rng = Rng::new(request.seed, "spectrum");
            coefficients = (way.start)(self.canvas, &mut rng);
        }
        let base = match start.as_str() {
            "image" => request.image()?.permuted(&[1, 2, 0])?.to_vec(),
            _ => self.palette.mean.repeat(h * w),
        };
        let base = base.into_iter().map(logit).collect();
        let given = serde_json::Map::new();
        let defaults = Values::check(self.optimizer.id, &(self.optimizer.fields)(), &given)?;
        let mut settings = (self.optimizer.settings)(&defaults)?;
        // A step of a linear way is a share of the way that it may go.
        let unit = if way.linear { self.limit } else { 1.0 };
        settings[0] = request.values.number("learningRate")? as f32 * way.rate * unit;
        let mut buffers = vec![
            ("coefficients", bits(coefficients)),
            ("base", bits(base)),
            ("ascent counters", vec![0, request.seed as u32, 0, 0]),
            ("ascent settings", bits(settings.to_vec())),
            (SO_FAR, vec![0; self.rows()]),
        ];
        let slots = SLOTS.iter().take(self.optimizer.slots);
        buffers.extend(slots.map(|name| (*name, vec![0; self.words])));
        Ok(buffers)
    }
}

/// The loss with all penalties that are asked for, and whether there are any.
fn penalized(
    graph: &mut Graph,
    mut loss: ValueId,
    normalized: ValueId,
    values: &Values,
) -> Result<(ValueId, bool)> {
    let mut regularized = false;
    for entry in REGULARIZERS {
        let Action::Penalty(penalty) = entry.action else {
            continue;
        };
        if let Some(penalty) = penalty(graph, normalized, values)? {
            loss = ops::add(graph, loss, penalty)?;
            regularized = true;
        }
    }
    Ok((loss, regularized))
}

/// `x` `[n * k]` as columns `[k, n]`, and the mean square of each column times `scale`, `[n]`.
pub(super) fn columns(graph: &mut Graph, x: ValueId, n: usize, scale: f32) -> Result<[ValueId; 2]> {
    let k = graph.shape(x).elements() / n;
    let columns = ops::transpose(graph, x, [1, n, k], [k, n])?;
    let squares = ops::mul(graph, columns, columns)?;
    let mean = ops::sum(graph, squares, [1, k, n], [n], scale / k as f32)?;
    Ok([columns, mean])
}

/// Each of `n` rows of `x` `[n * k]` divided by the root of `mean` `[n]` plus `eps`: batch norm with given
/// moments is the division.
pub(super) fn divided(
    graph: &mut Graph,
    [columns, mean]: [ValueId; 2],
    eps: f32,
) -> Result<ValueId> {
    let [k, n] = graph.shape(columns).two("ascent")?;
    let zeros = graph.constant([n], &vec![0.0; n])?;
    let ones = graph.constant([n], &vec![1.0; n])?;
    let scaled = ops::batch_norm(graph, columns, [zeros, mean], [ones, zeros], eps)?;
    ops::transpose(graph, scaled, [1, k, n], [n * k])
}

/// The inverse of the sigmoid, of a color kept a little inside 0..1.
pub(super) fn logit(color: f32) -> f32 {
    let color = color.clamp(0.02, 0.98);
    (color / (1.0 - color)).ln()
}

fn bits(floats: Vec<f32>) -> Vec<u32> {
    floats.into_iter().map(f32::to_bits).collect()
}
