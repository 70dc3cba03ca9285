//! What a layer multiplies each of its channels by, on the average over the images of each class: the gates of
//! squeeze-and-excitation (Hu et al. 2018, section 6.4 and Fig. 5). Early gates are alike for all classes, late ones
//! differ, and gates that are always open do nothing.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::Graph;
use crate::nn::{Inner, Mode};
use crate::ops;
use crate::tensor::Tensor;

use super::sample::{self, Sample};
use super::{Needs, Picture, Recipe, Request, Shown, Visualization, class_name};

/// The method.
#[derive(Debug)]
pub(super) struct Gates;

impl Visualization for Gates {
    fn id(&self) -> &'static str {
        "class-gates"
    }

    fn name(&self) -> &'static str {
        "Gates for each class"
    }

    fn doc(&self) -> &'static str {
        "How far the layer opens each channel for the images of each class, where it has such gates, as in \
         squeeze-and-excitation (Hu et al. 2018, Fig. 5)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: false,
            image: false,
        }
    }

    fn streams(&self) -> bool {
        true
    }

    fn fields(&self) -> Vec<Field> {
        sample::fields(1000.0)
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let place = "gates";
        let mut graph = Graph::new();
        let g = &mut graph;
        let mut sample = Sample::new(request, g)?;
        let network = request.network;
        let built = network.build(g, sample.batch.images, Mode::Eval)?;
        let what = "a layer that opens and closes its channels";
        let gates = request.inner(&built, Inner::Gates, place, what)?;
        let [n, channels] = g.shape(gates).two(place)?;
        let classes = network.spec.classes;
        let labels = ops::one_hot(g, sample.batch.labels, classes)?;
        let sums = ops::matmul(g, labels, gates, true, false)?;
        let counts = ops::sum(g, labels, [1, n, classes], [classes], 1.0)?;
        let outputs = [
            sample.total(g, "gates of classes", sums)?,
            sample.total(g, "images of classes", counts)?,
        ];
        sample.advance(g)?;
        let names: Vec<String> = (0..classes)
            .map(|class| class_name(request.classes, class))
            .collect();
        let (layer, said) = (request.layer_id().to_owned(), sample.said);
        let decode = move |outputs: &[Vec<f32>]| {
            let [sums, counts] = outputs else {
                let found = outputs.len().to_string();
                return Err(Error::mismatch(place, "two outputs", found));
            };
            let means: Vec<f32> = (0..classes * channels)
                .map(|at| sums[at] / counts[at / channels].max(1.0))
                .collect();
            let there: Vec<usize> = (0..classes).filter(|&class| counts[class] > 0.0).collect();
            pictures(&means, &there, &names, &layer, &said)
        };
        Ok(Recipe {
            compiled: compile(&graph, place, &outputs)?,
            buffers: sample.buffers,
            runs: u32::try_from(sample.runs).unwrap_or(u32::MAX),
            decode: Box::new(decode),
            then: None,
        })
    }
}

/// The gates as a table, and over all classes as curves; `there` are the classes with images.
fn pictures(
    means: &[f32],
    there: &[usize],
    names: &[String],
    layer: &str,
    said: &str,
) -> Result<Vec<Picture>> {
    let channels = means.len() / names.len();
    let gate = |class: usize, channel: usize| means[class * channels + channel];
    let over = |channel: usize, pick: fn(f32, f32) -> f32| {
        let gates = there.iter().map(|&class| gate(class, channel));
        gates.reduce(pick).unwrap_or(0.0)
    };
    let each = |pick: fn(f32, f32) -> f32| -> Vec<f32> {
        (0..channels).map(|channel| over(channel, pick)).collect()
    };
    let mut mean = each(|a, b| a + b);
    mean.iter_mut()
        .for_each(|sum| *sum /= there.len().max(1) as f32);
    let (least, most) = (each(f32::min), each(f32::max));
    let widest = (0..channels).max_by(|&a, &b| {
        let reach = |channel: usize| most[channel] - least[channel];
        reach(a).total_cmp(&reach(b))
    });
    let channel = widest.unwrap_or(0);
    let with = |end: f32| {
        let found = there.iter().find(|&&class| gate(class, channel) == end);
        found.map_or("no class", |&class| names[class].as_str())
    };
    let (low, high) = (least[channel], most[channel]);
    let note = format!(
        "Channel {channel} differs most between classes: {low:.2} for {}, {high:.2} for {}.",
        with(low),
        with(high)
    );
    let [first, last] = [0, channels - 1].map(|channel| format!("channel {channel}"));
    let rows = [&names[0], &names[names.len() - 1]];
    let title = format!(
        "Mean gate of each channel of {layer} (columns) for each class (rows, {} to {}) of {said}",
        rows[0], rows[1]
    );
    let table = Tensor::new([1, names.len(), channels], means.to_vec())?;
    let mut table = Picture::new(title, &table, false)?.shown(Shown::Map);
    table.note = Some(note);
    let title =
        format!("Gates of {layer}: mean of all classes (solid), least and most of any (dashed)");
    let curves = Picture::curves(title, &[mean, least, most])?.between(first, last);
    Ok(vec![table, curves])
}
