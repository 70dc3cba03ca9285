//! How far a layer's answer moves when the image is shifted, scaled or turned (Zeiler & Fergus 2014, Fig. 5): the
//! distance between the layer's activations for the changed and the unchanged image, and the probability of the
//! class that the network sees in the unchanged one. A layer that is invariant has a flat curve.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::Graph;
use crate::nn::Mode;
use crate::ops;
use crate::tensor::{Spec, Tensor};

use super::attribution::best;
use super::{Group, Needs, Picture, Recipe, Request, Visualization, class_name};

/// The method.
#[derive(Debug)]
pub(super) struct Invariance;

/// A kind of change: its name, where it begins and ends, what its numbers are, and whether its unit is a share of the
/// image.
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
        let image = request.image()?;
        let [c, h, w] = request.network.spec.input;
        let mut images = image.permuted(&[1, 2, 0])?.to_vec();
        for (kind, (_, [from, to], _)) in CHANGES.iter().enumerate() {
            for step in 0..steps {
                let amount = from + (to - from) * step as f32 / (steps - 1) as f32;
                images.extend(changed(image, kind, amount)?);
            }
        }
        let n = 1 + CHANGES.len() * steps;
        let mut graph = Graph::new();
        let g = &mut graph;
        let batch = g.external("changed images", Spec::f32([n, h, w, c]))?;
        let x = request.normalize(g, batch)?;
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
            buffers: vec![(
                "changed images",
                images.into_iter().map(f32::to_bits).collect(),
            )],
            runs: 1,
            decode: Box::new(decode),
            then: None,
        })
    }
}

/// The image `[c, h, w]` changed by one of [`CHANGES`], bilinear, zero where there was nothing: NHWC.
fn changed(image: &Tensor, kind: usize, amount: f32) -> Result<Vec<f32>> {
    let [c, h, w] = <[usize; 3]>::try_from(image.shape().dims())
        .map_err(|_| Error::mismatch("image", "3 axes", image.shape().to_string()))?;
    let pixels = image.to_vec();
    let at = |channel: usize, y: f32, x: f32| {
        let inside = |v: f32, size: usize| (v >= 0.0 && v < size as f32).then_some(v as usize);
        match (inside(y, h), inside(x, w)) {
            (Some(y), Some(x)) => pixels[(channel * h + y) * w + x],
            _ => 0.0,
        }
    };
    let (sin, cos) = amount.to_radians().sin_cos();
    let middle = [(h as f32 - 1.0) / 2.0, (w as f32 - 1.0) / 2.0];
    let source = |y: f32, x: f32| match kind {
        0 => [y - amount * h as f32, x],
        1 => [y, x - amount * w as f32],
        2 => [
            middle[0] + (y - middle[0]) / amount,
            middle[1] + (x - middle[1]) / amount,
        ],
        _ => {
            let (dy, dx) = (y - middle[0], x - middle[1]);
            [
                middle[0] + cos * dy - sin * dx,
                middle[1] + sin * dy + cos * dx,
            ]
        }
    };
    let mut changed = Vec::with_capacity(c * h * w);
    for i in 0..h * w {
        let [v, u] = source((i / w) as f32, (i % w) as f32);
        let (top, left) = (v.floor(), u.floor());
        let (down, right) = (v - top, u - left);
        for channel in 0..c {
            let row =
                |y: f32| at(channel, y, left) * (1.0 - right) + at(channel, y, left + 1.0) * right;
            changed.push(row(top) * (1.0 - down) + row(top + 1.0) * down);
        }
    }
    Ok(changed)
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
