//! How far a layer's answer moves when the image is shifted, scaled or turned (Zeiler & Fergus 2014, Fig. 5): the
//! distance between the layer's activations for the changed and the unchanged image, and the probability of the
//! class that the network sees in the unchanged one. A layer that is invariant has a flat curve.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::Graph;
use crate::nn::Mode;
use crate::ops;
use crate::tensor::Spec;

use super::attribution::best;
use super::{Group, Needs, Picture, Recipe, Request, Visualization, class_name};

/// The method.
#[derive(Debug)]
pub(super) struct Invariance;

/// A kind of change: its name, where it begins and ends, and what its numbers are.
const CHANGES: [(&str, [f32; 2], &str); 4] = [
    ("shifted down", [-0.3, 0.3], "of its height"),
    ("shifted right", [-0.3, 0.3], "of its width"),
    ("scaled", [0.6, 1.6], "times its size"),
    ("turned", [0.0, 360.0], "degrees"),
];

impl Visualization for Invariance {
    fn id(&self) -> &'static str {
        "invariance"
    }

    fn name(&self) -> &'static str {
        "Shift, scale and turn"
    }

    fn doc(&self) -> &'static str {
        "How far this layer's answer moves, and what the network still says, when the image is shifted, scaled or turned \
         (Zeiler & Fergus 2014, Fig. 5)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: false,
            image: true,
        }
    }

    fn group(&self) -> Group {
        Group::Change
    }

    fn fields(&self) -> Vec<Field> {
        let steps = "Changed images of each kind.";
        vec![Field::integer("steps", steps, 3.0, 65.0, 25.0)]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let steps = request.values.integer("steps")?;
        let [c, h, w] = request.network.spec.input;
        // The image as it is, then its changes.
        let mut positions = positions([h, w], 0, 0.0);
        for (kind, (_, [from, to], _)) in CHANGES.iter().enumerate() {
            for step in 0..steps {
                let amount = from + (to - from) * step as f32 / (steps - 1) as f32;
                positions.extend(self::positions([h, w], kind, amount));
            }
        }
        let n = 1 + CHANGES.len() * steps;
        let mut graph = Graph::new();
        let g = &mut graph;
        let image = request.external_image(g)?;
        let images = ops::broadcast(g, image, [1, n, h * w * c], [n, h, w, c], 1.0)?;
        let sources = g.external("positions", Spec::f32([n, h, w, 2]))?;
        let changed = ops::sample2d(g, images, sources)?;
        let x = request.normalize(g, changed)?;
        let built = request.network.build(g, x, Mode::Eval)?;
        let value = built.layers[request.layer];
        let size = g.shape(value).elements() / n;
        let probabilities = ops::softmax(g, built.logits)?;
        let classes = request.network.spec.classes;
        let layer = request.layer_id().to_owned();
        let names = request.classes.to_vec();
        let decode =
            move |outputs: &[Vec<f32>]| pictures(outputs, [steps, size, classes], &layer, &names);
        Ok(Recipe {
            compiled: compile(&graph, "invariance", &[value, probabilities])?,
            buffers: vec![
                ("image", request.image_words()?),
                (
                    "positions",
                    positions.into_iter().map(f32::to_bits).collect(),
                ),
            ],
            runs: 1,
            decode: Box::new(decode),
            then: None,
        })
    }
}

/// Where each pixel of an image that is changed by one of [`CHANGES`] comes from: `[h, w, 2]`, row and column.
fn positions([h, w]: [usize; 2], kind: usize, amount: f32) -> Vec<f32> {
    let (sin, cos) = amount.to_radians().sin_cos();
    let middle = [(h as f32 - 1.0) / 2.0, (w as f32 - 1.0) / 2.0];
    let source = |y: f32, x: f32| {
        let (dy, dx) = (y - middle[0], x - middle[1]);
        match kind {
            0 => [y - amount * h as f32, x],
            1 => [y, x - amount * w as f32],
            2 => [middle[0] + dy / amount, middle[1] + dx / amount],
            _ => [
                middle[0] + cos * dy - sin * dx,
                middle[1] + sin * dy + cos * dx,
            ],
        }
    };
    (0..h * w)
        .flat_map(|i| source((i / w) as f32, (i % w) as f32))
        .collect()
}

/// For each kind of change the distances, as a share of the unchanged answer's length, and the probabilities.
fn pictures(
    outputs: &[Vec<f32>],
    [steps, size, classes]: [usize; 3],
    layer: &str,
    names: &[String],
) -> Result<Vec<Picture>> {
    let [values, probabilities] = outputs else {
        let found = outputs.len().to_string();
        return Err(Error::mismatch("invariance", "two outputs", found));
    };
    let length = |row: &[f32]| row.iter().map(|x| x * x).sum::<f32>().sqrt();
    let unchanged = &values[..size];
    let class = best(&probabilities[..classes]);
    let name = class_name(names, class);
    let mut pictures = Vec::new();
    for (kind, (change, [from, to], unit)) in CHANGES.iter().enumerate() {
        let image = |step: usize| 1 + kind * steps + step;
        let distance = |step: usize| {
            let row = &values[image(step) * size..][..size];
            let apart: Vec<f32> = row.iter().zip(unchanged).map(|(a, b)| a - b).collect();
            length(&apart) / length(unchanged).max(f32::MIN_POSITIVE)
        };
        let said = |step: usize| probabilities[image(step) * classes + class];
        let rows = [
            (0..steps).map(distance).collect(),
            (0..steps).map(said).collect(),
        ];
        let title = format!(
            "The image {change}: how far {layer} moves (solid), and the probability of {name} (dashed)"
        );
        let [from, to] = [from, to].map(|end| format!("{end} {unit}"));
        pictures.push(Picture::curves(title, &rows)?.between(from, to));
    }
    Ok(pictures)
}
