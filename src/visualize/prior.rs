//! Images that excite a unit, drawn by a network that has learned what images look like (Nguyen et al. 2016,
//! "Synthesizing the preferred inputs for neurons in neural networks via deep generator networks").
//!
//! Three recipes in a chain. `measure` finds mean and deviation of every unit of the code layer. `learn` trains a
//! generator to invert the user's own network from that layer, so that its images and the network's answers to them
//! resemble those of the dataset (Dosovitskiy & Brox 2016, equation 3, without the adversarial term). `climb` then
//! climbs in the code, each number of which is clipped to three deviations around its mean, as in the paper.

mod climb;
mod generator;
mod learn;
mod measure;

use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::{Graph, ValueId};
use crate::nn::Built;
use crate::ops;
use crate::tensor::Spec;

use super::objective::{self, OBJECTIVES, Subject};
use super::{Course, Needs, Recipe, Request, Visualization};

use generator::Generator;

/// The method.
#[derive(Debug)]
pub(super) struct LearnedPrior;

/// How far a code may be from its mean, in deviations (section 2.3 of the paper).
const REACH: f32 = 3.0;

impl Visualization for LearnedPrior {
    fn id(&self) -> &'static str {
        "learned-prior"
    }

    fn name(&self) -> &'static str {
        "Learned prior"
    }

    fn doc(&self) -> &'static str {
        "What excites a unit or a class, drawn by a generator that learns here to invert this network (Nguyen et al. \
         2016)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: true,
            image: false,
        }
    }

    fn fields(&self) -> Vec<Field> {
        let ids: Vec<&str> = OBJECTIVES.iter().map(|entry| entry.id).collect();
        let objective = "What is raised: the unit, its whole map, the layer, or the classes.";
        let prior = "Share of the picture that the generator draws; the rest is free pixels.";
        let lessons = "Steps in which the generator learns, of 32 images each.";
        let decay = "Pull toward the mean code, per step.";
        vec![
            Field::choice("objective", objective, &ids, "class score"),
            Field::number("prior", prior, 0.0, 1.0, 1.0),
            Field::integer("lessons", lessons, 1.0, 100_000.0, 1_000.0),
            Field::integer("steps", "Steps of ascent.", 1.0, 10_000.0, 200.0),
            Field::number(
                "learningRate",
                "Size of each step, in deviations.",
                0.0,
                10.0,
                0.05,
            ),
            Field::number("l2", decay, 0.0, 1.0, 0.005),
        ]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let objective = objective::find(&request.values.choice("objective")?)?;
        if objective.of != Subject::Classes {
            request.behind_input("learned prior")?;
        }
        let prior = Prior::new(request)?;
        let climb = climb::recipe(&prior, objective)?;
        measure::recipe(&prior, learn::recipe(&prior, climb)?)
    }

    fn course(&self, request: &Request<'_>) -> Result<Course> {
        Ok(Course {
            optimizes: true,
            ..Course::from(self.recipe(request)?)
        })
    }
}

/// What the three recipes share.
struct Prior<'a> {
    request: &'a Request<'a>,
    /// The layer whose output is the code, and the one whose maps are compared.
    code: usize,
    compared: usize,
    generator: Generator,
}

impl<'a> Prior<'a> {
    fn new(request: &'a Request<'a>) -> Result<Self> {
        let layers = &request.network.layers;
        // Behind the code come the class scores, and a softmax if there is one: the last layer that has another
        // size than the scores and is a vector; the last maps where there is no such vector.
        let classes = request.network.spec.classes;
        let is_code = |&i: &usize| layers[i].shape[1..] == [1, 1] && layers[i].shape[0] != classes;
        let is_map = |&i: &usize| layers[i].shape[1] > 1;
        let inner = || 1..layers.len();
        let found = inner().rfind(is_code).or_else(|| inner().rfind(is_map));
        let code = found.ok_or_else(|| {
            let expected = "a layer between the image and the class scores";
            Error::mismatch("learned prior", expected, "none")
        })?;
        let compared = (1..=code).rfind(is_map).unwrap_or(code);
        Ok(Self {
            request,
            code,
            compared,
            generator: Generator {
                code: layers[code].shape.iter().product(),
                image: request.network.spec.input,
            },
        })
    }

    /// The code of each image, `[n, code]`.
    fn code_of(&self, g: &mut Graph, built: &Built) -> Result<ValueId> {
        let value = built.layers[self.code];
        let n = g.shape(value).dims()[0];
        ops::reshape(g, value, [n, self.generator.code])
    }

    /// An outside buffer of one number for each number of a code.
    fn per_code(&self, g: &mut Graph, name: &str) -> Result<ValueId> {
        g.external(name, Spec::f32([self.generator.code]))
    }

    /// Images in 0..1 from logits around the mean color.
    fn image(&self, g: &mut Graph, logits: ValueId) -> Result<ValueId> {
        let mean = self.request.mean();
        let base: Vec<f32> = mean.into_iter().map(super::climb::logit).collect();
        let base = g.constant([base.len()], &base)?;
        let logits = ops::add(g, logits, base)?;
        ops::sigmoid(g, logits)
    }
}
