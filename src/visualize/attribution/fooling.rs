//! Fooling images (Nguyen, Yosinski & Clune 2015): noise that the network takes for a class with confidence,
//! found by following the gradient of the class's loss with nothing that keeps the image natural.

use crate::error::Result;
use crate::field::Field;
use crate::rng::Rng;
use crate::tensor::Tensor;

use super::super::{Group, Needs, Picture, Recipe, Request, Visualization, image_from_output};
use super::adversarial::Attack;
use super::maps::{Answer, Asker, softmax};

/// The method.
#[derive(Debug)]
pub(in super::super) struct Fooling;

impl Visualization for Fooling {
    fn id(&self) -> &'static str {
        "fooling-image"
    }

    fn name(&self) -> &'static str {
        "Fooling image"
    }

    fn doc(&self) -> &'static str {
        "Noise, changed until the network takes it for a class with confidence, though it shows nothing \
         (Nguyen et al. 2015)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: false,
            channel: false,
            image: false,
        }
    }

    fn group(&self) -> Group {
        Group::Change
    }

    fn fields(&self) -> Vec<Field> {
        let class = "Index of the class that the noise shall be taken for.";
        vec![
            Field::integer("class", class, 0.0, 999.0, 0.0),
            Field::integer("steps", "Steps.", 1.0, 1000.0, 60.0),
            Field::number("stepSize", "Change of each pixel per step.", 0.0, 0.5, 0.01),
        ]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let shape = request.network.spec.input;
        let mut rng = Rng::new(request.seed, "fooling image");
        let noise = Tensor::from_fn(shape, |_| rng.uniform());
        let mut inner = request.with(0, request.values.clone());
        inner.image = Some(&noise);
        let attack = Attack {
            epsilon: 1.0,
            step: request.values.number("stepSize")? as f32,
            runs: u32::try_from(request.values.integer("steps")?).unwrap_or(u32::MAX),
            start: inner.image_words()?,
        };
        let place = self.id();
        let asker = Asker::new(place, request);
        let noise = noise.clone();
        let decode = move |outputs: &[Vec<f32>]| {
            let before = Answer::new(&asker, &outputs[1], &outputs[2])?;
            let after = softmax(&outputs[3])[before.class];
            let image = image_from_output(&outputs[0], shape)?;
            Ok(vec![
                Picture::new(
                    format!("Fooling image · {}", asker.said(before.class, after)),
                    &image,
                    false,
                )?,
                Picture::new(
                    format!("Noise it began as · {}", before.class()),
                    &noise,
                    false,
                )?,
            ])
        };
        attack.recipe(place, &inner, Box::new(decode))
    }
}
