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
use super::{Needs, Picture, Recipe, Request, Visualization, as_maps, image_from_output};

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
        let whole = "An image for each unit of the layer (the first 64), all in one batch.";
        vec![
            Field::integer("steps", "Steps of gradient ascent.", 1.0, 4096.0, 256.0),
            Field::number("learningRate", "Size of Adam's steps.", 0.0001, 1.0, 0.05),
            Field::integer("jitter", jitter, 0.0, 16.0, 4.0),
            Field::choice("objective", objective, &["center", "channel"], "center"),
            Field::bool("negative", "Find what the unit dislikes instead.", false),
            Field::bool("wholeLayer", whole, false),
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
        // One image of the batch for each unit.
        let units = if values.bool("wholeLayer")? {
            (0..request.network.layers[request.layer].shape[0].min(MOST_UNITS)).collect()
        } else {
            vec![request.channel]
        };
        let n = units.len();
        let (coefficients, images) = fourier_images(g, "coefficients", [n, c, h, w])?;
        let counters = g.external("ascent counters", Spec::u32([4]))?;
        // Rolled by 0..=2j and back by j: a shift of -j..=j. More than a fraction of the receptive field
        // would smear what the unit wants.
        let seen = request.network.layers[request.layer].receptive_field.size;
        let most = u32::try_from(seen[0].min(seen[1]) / 8).unwrap_or(u32::MAX);
        let jitter = u32::try_from(values.integer("jitter")?).map_or(0, |jitter| jitter.min(most));
        let offsets = ops::random_offsets(g, counters, 2 * jitter + 1, 0)?;
        let ahead = ops::roll2d(g, images, offsets, false)?;
        let back = g.external("jitter", Spec::u32([2]))?;
        let jittered = ops::roll2d(g, ahead, back, true)?;
        let x = request.normalize(g, jittered)?;
        let built = request.network.build(g, x, Mode::Eval)?;
        let maps = as_maps(g, built.layers[request.layer])?;
        let scores = scores(g, maps, &units, values.choice("objective")? == "center")?;
        let sign = if values.bool("negative")? { 1.0 } else { -1.0 };
        let seed = g.constant([n], &vec![sign; n])?;
        let rule = BackwardRule::Redirected;
        let direction = gradient(g, scores, seed, &[coefficients], rule)?[0];
        let words = n * c * h * w;
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
        let layer = request.layer_id().to_owned();
        let decode = move |outputs: &[Vec<f32>]| {
            let images = outputs[0].chunks_exact(c * h * w);
            let scored = images.zip(&outputs[1]).zip(&units);
            let picture = |((image, score), unit): ((&[f32], &f32), &usize)| {
                let image = image_from_output(image, [c, h, w])?;
                let title = format!("{layer} unit {unit} · activation {score:.3}");
                Picture::new(title, &image, false)
            };
            scored.map(picture).collect()
        };
        Ok(Recipe {
            compiled: compile(&graph, "activation maximization", &[images, scores])?,
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
            then: None,
        })
    }
}

/// Images optimized at once: what fits a panel and a batch.
const MOST_UNITS: usize = 64;

/// For image `i` of the batch the activation of `units[i]`: its mean over space, or its value at the center.
fn scores(g: &mut Graph, maps: ValueId, units: &[usize], center: bool) -> Result<ValueId> {
    let [n, h, w, c] = g.shape(maps).four("activation maximization")?;
    let middle = h / 2 * w + w / 2;
    let is_seen = |i: usize| {
        let (image, pixel, unit) = (i / (h * w * c), i / c % (h * w), i % c);
        units[image] == unit && (!center || pixel == middle)
    };
    let mask: Vec<f32> = (0..n * h * w * c)
        .map(|i| f32::from(u8::from(is_seen(i))))
        .collect();
    let mask = g.constant([n, h, w, c], &mask)?;
    let selected = ops::mul(g, maps, mask)?;
    let scale = if center { 1.0 } else { 1.0 / (h * w) as f32 };
    ops::sum(g, selected, [n, h * w * c, 1], [n], scale)
}
