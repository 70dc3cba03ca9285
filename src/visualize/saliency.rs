//! Which pixels the class score depends on most (Simonyan et al. 2014, section 3): the size of the
//! gradient of the unnormalized class score with respect to the pixels.

use crate::autodiff::gradient;
use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::{BackwardRule, Graph};
use crate::nn::Mode;
use crate::ops;
use crate::tensor::Tensor;

use super::{Needs, Picture, Recipe, Request, Visualization, image_from_output, one_channel};

/// The method.
#[derive(Debug)]
pub(super) struct Saliency;

impl Visualization for Saliency {
    fn id(&self) -> &'static str {
        "saliency"
    }

    fn name(&self) -> &'static str {
        "Saliency map"
    }

    fn doc(&self) -> &'static str {
        "How strongly each pixel of this image moves the class score: the size of the score's \
         gradient (Simonyan et al. 2014)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: false,
            channel: false,
            image: true,
        }
    }

    fn fields(&self) -> Vec<Field> {
        vec![Field::integer(
            "class",
            "Index of the class whose score is explained.",
            0.0,
            999.0,
            0.0,
        )]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let class = request.values.integer("class")?;
        let classes = request.network.spec.classes;
        if class >= classes {
            let expected = format!("a class below {classes}");
            return Err(Error::mismatch(
                "saliency.class",
                expected,
                class.to_string(),
            ));
        }
        let mut graph = Graph::new();
        let g = &mut graph;
        let image = request.external_image(g)?;
        let x = request.normalize(g, image)?;
        let built = request.network.build(g, x, Mode::Eval)?;
        let mask = one_channel(g, classes, class)?;
        let seed = ops::reshape(g, mask, [1, classes])?;
        let gradient = gradient(g, built.logits, seed, &[x], BackwardRule::Gradient)?;
        let shape = request.network.spec.input;
        let decode = move |outputs: &[Vec<f32>]| {
            let gradient = image_from_output(&outputs[0], shape)?.to_vec();
            let area = shape[1] * shape[2];
            // Section 3.1: for color, the largest over the channels.
            let largest = |i: usize| {
                gradient
                    .iter()
                    .skip(i)
                    .step_by(area)
                    .fold(0.0_f32, |m, x| m.max(x.abs()))
            };
            let map = Tensor::from_fn([1, shape[1], shape[2]], largest);
            Ok(vec![Picture::new(
                format!("Saliency · class {class}"),
                &map,
                false,
            )?])
        };
        Ok(Recipe {
            compiled: compile(&graph, "saliency", &gradient)?,
            buffers: vec![("image", request.image_words()?)],
            runs: 1,
            decode: Box::new(decode),
        })
    }
}
