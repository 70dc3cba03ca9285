//! The image that excites a unit most, found by gradient ascent (Erhan et al. 2009) with the Fourier
//! parameterization and jitter of Olah et al. 2017. Coefficients, optimizer state and step counter live on
//! the device, so that a step is one run of the program.

use crate::autodiff::gradient;
use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::Mode;
use crate::ops;
use crate::tensor::Spec;

use super::parameterization::{fourier_images, initial_coefficients};
use super::{
    Needs, Picture, Recipe, Request, Visualization, as_maps, image_from_output, one_channel,
};

/// The method.
#[derive(Debug)]
pub(super) struct ActivationMaximization;

impl Visualization for ActivationMaximization {
    fn id(&self) -> &'static str {
        "activation-maximization"
    }

    fn name(&self) -> &'static str {
        "Activation maximization"
    }

    fn doc(&self) -> &'static str {
        "An image made from noise to excite this unit as much as possible (Erhan et al. 2009; Olah et \
         al. 2017)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: true,
            image: false,
        }
    }

    fn fields(&self) -> Vec<Field> {
        let objective =
            "Whether the unit at the middle of its map is raised, or its mean over the map.";
        let jitter =
            "Largest random shift per step, in pixels; at most an eighth of what the unit sees.";
        vec![
            Field::integer("steps", "Steps of gradient ascent.", 1.0, 4096.0, 256.0),
            Field::number("learningRate", "Size of Adam's steps.", 0.0001, 1.0, 0.05),
            Field::integer("jitter", jitter, 0.0, 16.0, 4.0),
            Field::choice("objective", objective, &["center", "channel"], "center"),
            Field::bool("negative", "Find what the unit dislikes instead.", false),
        ]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        if request.layer == 0 {
            let expected = "a layer behind the input";
            return Err(Error::mismatch(
                "activation maximization",
                expected,
                request.layer_id(),
            ));
        }
        let values = &request.values;
        let [c, h, w] = request.network.spec.input;
        let mut graph = Graph::new();
        let g = &mut graph;
        let (coefficients, image) = fourier_images(g, "coefficients", [1, c, h, w])?;
        let counters = g.external("ascent counters", Spec::u32([4]))?;
        // Rolled by 0..=2j and back by j: a shift of -j..=j. More than a fraction of the receptive field
        // would smear what the unit wants.
        let seen = request.network.layers[request.layer].receptive_field.size;
        let most = u32::try_from(seen[0].min(seen[1]) / 8).unwrap_or(u32::MAX);
        let jitter = u32::try_from(values.integer("jitter")?).map_or(0, |jitter| jitter.min(most));
        let offsets = ops::random_offsets(g, counters, 2 * jitter + 1, 0)?;
        let ahead = ops::roll2d(g, image, offsets, false)?;
        let back = g.external("jitter", Spec::u32([2]))?;
        let jittered = ops::roll2d(g, ahead, back, true)?;
        let x = request.normalize(g, jittered)?;
        let built = request.network.build(g, x, Mode::Eval)?;
        let maps = as_maps(g, built.layers[request.layer])?;
        let score = score(
            g,
            maps,
            request.channel,
            values.choice("objective")? == "center",
        )?;
        let sign = if values.bool("negative")? { 1.0 } else { -1.0 };
        let seed = g.constant([1], &[sign])?;
        let direction = gradient(g, score, seed, &[coefficients], BackwardRule::Redirected)?[0];
        let words = c * h * w;
        let settings = g.external("ascent settings", Spec::f32([8]))?;
        let first = g.external("first moment", Spec::f32([words]))?;
        let second = g.external("second moment", Spec::f32([words]))?;
        ops::adam(
            g,
            coefficients,
            direction,
            first,
            second,
            settings,
            counters,
        )?;
        ops::advance(g, counters)?;

        let learning_rate = values.number("learningRate")? as f32;
        let settings = [learning_rate, 0.0, 0.0, 0.9, 0.999, 1e-8, 0.0, 0.0].map(f32::to_bits);
        let runs = u32::try_from(values.integer("steps")?).unwrap_or(u32::MAX);
        let title = format!("{} unit {}", request.layer_id(), request.channel);
        let decode = move |outputs: &[Vec<f32>]| {
            let image = image_from_output(&outputs[0], [c, h, w])?;
            let title = format!("{title} · activation {:.3}", outputs[1][0]);
            Ok(vec![Picture::new(title, &image, false)?])
        };
        Ok(Recipe {
            compiled: compile(&graph, "activation maximization", &[image, score])?,
            buffers: vec![
                ("coefficients", initial_coefficients(words, request.seed)),
                ("ascent counters", vec![0, request.seed as u32, 0, 0]),
                ("ascent settings", settings.to_vec()),
                ("jitter", vec![jitter; 2]),
                ("first moment", vec![0; words]),
                ("second moment", vec![0; words]),
            ],
            runs,
            decode: Box::new(decode),
        })
    }
}

/// The channel's mean over space, or its value at the center.
fn score(g: &mut Graph, maps: ValueId, channel: usize, center: bool) -> Result<ValueId> {
    let [_, h, w, c] = g.shape(maps).four("activation maximization")?;
    let selected = if center {
        let middle = h / 2 * w + w / 2;
        let at = |i: usize| f32::from(u8::from(i == middle * c + channel));
        let mask: Vec<f32> = (0..h * w * c).map(at).collect();
        let mask = g.constant([1, h, w, c], &mask)?;
        ops::mul(g, maps, mask)?
    } else {
        let mask = one_channel(g, c, channel)?;
        ops::mul(g, maps, mask)?
    };
    let scale = if center { 1.0 } else { 1.0 / (h * w) as f32 };
    ops::sum(g, selected, [1, h * w * c, 1], [1], scale)
}
