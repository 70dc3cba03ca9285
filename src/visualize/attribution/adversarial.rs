//! Adversarial images: changes too small to matter to a person that change what the network says. The fast
//! gradient sign method (Goodfellow et al. 2015) takes one step, projected gradient descent (Madry et al.
//! 2018) many small ones, each put back into the allowed box.

use crate::compile::compile;
use crate::error::Result;
use crate::field::Field;
use crate::graph::{BackwardRule, ValueId};
use crate::ops;
use crate::rng::Rng;
use crate::tensor::Spec;

use super::super::{
    Decode, Group, Needs, Picture, Recipe, Request, Visualization, image_from_output,
};
use super::maps::{Answer, Asker, clamp, size, softmax};
use super::scene::{Scene, argmax};
use super::{IMAGE, asked_class};

/// One step.
#[derive(Debug)]
pub(in super::super) struct Fgsm;

/// Many steps.
#[derive(Debug)]
pub(in super::super) struct Pgd;

/// The class that the image shall be taken for.
fn target_field() -> Field {
    let doc = "Index of the class that the image shall be taken for; -1: any other than now.";
    Field::integer("class", doc, -1.0, 999.0, -1.0)
}

fn epsilon_field() -> Field {
    let doc = "Largest change of a pixel; an image's range is 0 to 1.";
    Field::number("epsilon", doc, 0.0, 1.0, 0.1)
}

impl Visualization for Fgsm {
    fn id(&self) -> &'static str {
        "fgsm"
    }

    fn name(&self) -> &'static str {
        "Adversarial image: one step"
    }

    fn doc(&self) -> &'static str {
        "This image, every pixel moved by epsilon in the direction that most raises the loss: the fast \
         gradient sign method (Goodfellow et al. 2015)."
    }

    fn needs(&self) -> Needs {
        IMAGE
    }

    fn group(&self) -> Group {
        Group::Change
    }

    fn fields(&self) -> Vec<Field> {
        vec![target_field(), epsilon_field()]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let epsilon = request.values.number("epsilon")? as f32;
        let attack = Attack {
            epsilon,
            step: epsilon,
            runs: 1,
            start: request.image_words()?,
        };
        attack.recipe(self.id(), request, before_and_after(self.id(), request)?)
    }
}

impl Visualization for Pgd {
    fn id(&self) -> &'static str {
        "pgd"
    }

    fn name(&self) -> &'static str {
        "Adversarial image: many steps"
    }

    fn doc(&self) -> &'static str {
        "The change of at most epsilon per pixel that raises the loss most, found by projected gradient \
         descent (Madry et al. 2018)."
    }

    fn needs(&self) -> Needs {
        IMAGE
    }

    fn group(&self) -> Group {
        Group::Change
    }

    fn fields(&self) -> Vec<Field> {
        let start = "Whether it begins at a random place in the box instead of at the image.";
        vec![
            target_field(),
            epsilon_field(),
            Field::integer("steps", "Steps.", 1.0, 1000.0, 40.0),
            Field::bool("randomStart", start, true),
        ]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let epsilon = request.values.number("epsilon")? as f32;
        let runs = u32::try_from(request.values.integer("steps")?).unwrap_or(u32::MAX);
        let mut start = request.image_words()?;
        if request.values.bool("randomStart")? {
            let mut rng = Rng::new(request.seed, "adversarial start");
            for word in &mut start {
                let moved = f32::from_bits(*word) + rng.between(-epsilon, epsilon);
                *word = moved.clamp(0.0, 1.0).to_bits();
            }
        }
        let attack = Attack {
            epsilon,
            // Can reach the far side of the box from anywhere in it.
            step: 2.5 * epsilon / runs as f32,
            runs,
            start,
        };
        attack.recipe(self.id(), request, before_and_after(self.id(), request)?)
    }
}

/// Steps of equal size for every pixel along the sign of the loss's gradient, within a box around the image.
pub(super) struct Attack {
    /// Half the box's side.
    pub(super) epsilon: f32,
    pub(super) step: f32,
    pub(super) runs: u32,
    /// The image to begin with, `[h, w, c]` words.
    pub(super) start: Vec<u32>,
}

impl Attack {
    /// The recipe. It puts out the image as it is, the scores of the image that was given and their class, and
    /// the scores now.
    pub(super) fn recipe(
        self,
        place: &'static str,
        request: &Request<'_>,
        decode: Decode,
    ) -> Result<Recipe> {
        let targeted = asked_class(request)?.is_some();
        let mut scene = Scene::new(request, 0)?;
        let [h, w, c] = scene.size();
        let state = scene
            .graph
            .external("adversarial image", Spec::f32([1, h, w, c]))?;
        // A loss is lowered toward a class that is wanted, and raised away from one that is not.
        let step = if targeted { -self.step } else { self.step };
        let moved = self.moved(&mut scene, state, step)?;
        let words = h * w * c;
        let g = &mut scene.graph;
        let zeros = g.constant([1, h, w, c], &vec![0.0; words])?;
        let ones = g.constant([1, h, w, c], &vec![1.0; words])?;
        let now = ops::running_average(g, state, moved, zeros, ones)?;
        let after = scene.answer(now)?.logits;
        scene.buffers.push(("adversarial image", self.start));
        let outputs = [now, scene.built.logits, scene.class, after];
        scene.advance()?;
        Ok(Recipe {
            compiled: compile(&scene.graph, place, &outputs)?,
            buffers: scene.buffers,
            runs: self.runs,
            decode,
            then: None,
        })
    }

    /// `state` after one step.
    fn moved(&self, scene: &mut Scene<'_>, state: ValueId, step: f32) -> Result<ValueId> {
        let built = scene.answer(state)?;
        let g = &mut scene.graph;
        let label = argmax(g, scene.class)?;
        let loss = ops::cross_entropy(g, built.logits, label)?;
        let one = g.constant([1], &[1.0])?;
        let rule = BackwardRule::Gradient;
        let gradient = crate::autodiff::gradient(g, loss, one, &[state], rule)?[0];
        // The sign, and 0 where there is no gradient: the divisor only keeps 0 / 0 away.
        let length = size(g, gradient)?;
        let sign = ops::ratio(g, gradient, length, 1e-30)?;
        let change = ops::affine(g, sign, step, 0.0)?;
        let moved = ops::add(g, state, change)?;
        let minus = ops::affine(g, scene.image, -1.0, 0.0)?;
        let change = ops::add(g, moved, minus)?;
        let change = clamp(g, change, -self.epsilon, self.epsilon)?;
        let moved = ops::add(g, scene.image, change)?;
        clamp(g, moved, 0.0, 1.0)
    }
}

/// The image, what was changed, and what the network says before and after.
fn before_and_after(place: &'static str, request: &Request<'_>) -> Result<Decode> {
    let shape = request.network.spec.input;
    let image = request.image()?.clone();
    let asker = Asker::new(place, request);
    Ok(Box::new(move |outputs: &[Vec<f32>]| {
        let before = Answer::new(&asker, &outputs[1], &outputs[2])?;
        let after = softmax(&outputs[3]);
        let (was, is) = (asker.best(&before.probabilities), asker.best(&after));
        let adversarial = image_from_output(&outputs[0], shape)?;
        let pixels = image.to_vec();
        let change: Vec<f32> = adversarial
            .to_vec()
            .iter()
            .zip(&pixels)
            .map(|(now, before)| now - before)
            .collect();
        let largest = change.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let change = crate::tensor::Tensor::new(shape, change)?;
        Ok(vec![
            Picture::new(format!("Image · {was}"), &image, false)?,
            Picture::new(format!("Change · at most {largest:.3}"), &change, true)?,
            Picture::new(format!("Adversarial image · {is}"), &adversarial, false)?,
        ])
    }))
}
