//! What the network loses without one unit: the accuracy of each class over a split, with the unit and with its map
//! set to zero. Both networks answer the same batches; the dataset streams by on the device.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::{Graph, ValueId};
use crate::nn::Mode;
use crate::ops;
use crate::tensor::Spec;

use super::sample::split_field;
use super::{Needs, Picture, Recipe, Request, Visualization, class_name};

/// The method.
#[derive(Debug)]
pub(super) struct Ablation;

/// Images per run.
const BATCH: usize = 100;

impl Visualization for Ablation {
    fn id(&self) -> &'static str {
        "ablation"
    }

    fn name(&self) -> &'static str {
        "Without this unit"
    }

    fn doc(&self) -> &'static str {
        "How well each class is still recognized when this unit is silenced: its map set to zero, all else as it is."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: true,
            image: false,
        }
    }

    fn about_unit(&self) -> Option<&'static [(&'static str, &'static str)]> {
        Some(&[])
    }

    fn streams(&self) -> bool {
        true
    }

    fn fields(&self) -> Vec<Field> {
        vec![split_field("test")]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let layer = &request.network.layers[request.layer];
        request.behind_input("ablation")?;
        let data = request.data()?;
        let split = request.values.choice("split")?;
        let n_items = data.len(&split)?;
        let batch = BATCH.min(n_items);
        let classes = request.network.spec.classes;
        let mut graph = Graph::new();
        let g = &mut graph;
        let counters = g.external("ablation counters", Spec::u32([4]))?;
        let indices = ops::sequential_indices(g, counters, n_items, batch)?;
        let inputs = data.gather(g, &split, indices)?;
        let state = request.network.state(g)?;
        let mut outputs = Vec::new();
        for (name, silent) in [("whole", None), ("without", Some(request.layer))] {
            let mut silence = |g: &mut Graph, index: usize, value: ValueId| {
                if silent != Some(index) {
                    return Ok(value);
                }
                let units = g.shape(value).last();
                let kept: Vec<f32> = (0..units)
                    .map(|unit| f32::from(u8::from(unit != request.channel)))
                    .collect();
                let kept = g.constant([units], &kept)?;
                ops::mul(g, value, kept)
            };
            let network = request.network;
            let built = network.build_edited(g, inputs.images, Mode::Eval, state, &mut silence)?;
            let matrix = g.external(name, Spec::u32([classes, classes]))?;
            let counts = ops::confusion(g, matrix, built.logits, inputs.labels, indices, n_items)?;
            outputs.push(counts);
        }
        ops::advance(g, counters)?;
        let names: Vec<String> = (0..classes)
            .map(|class| class_name(request.classes, class))
            .collect();
        let unit = format!("unit {} of {}", request.channel, layer.id);
        Ok(Recipe {
            compiled: compile(&graph, "ablation", &outputs)?,
            buffers: vec![
                ("ablation counters", vec![0; 4]),
                ("whole", vec![0; classes * classes]),
                ("without", vec![0; classes * classes]),
            ],
            runs: u32::try_from(n_items.div_ceil(batch)).unwrap_or(u32::MAX),
            decode: Box::new(move |outputs| pictures(outputs, &names, &unit)),
            then: None,
        })
    }
}

/// The share of each class that was recognized, and of all images.
fn shares(counts: &[f32], classes: usize) -> (Vec<f32>, f32) {
    let count = |label: usize, said: usize| counts[label * classes + said].to_bits() as f32;
    let all = |label: usize| (0..classes).map(|said| count(label, said)).sum::<f32>();
    let each = |label: usize| count(label, label) / all(label).max(1.0);
    let right: f32 = (0..classes).map(|label| count(label, label)).sum();
    let total: f32 = (0..classes).map(all).sum();
    ((0..classes).map(each).collect(), right / total.max(1.0))
}

fn pictures(outputs: &[Vec<f32>], names: &[String], unit: &str) -> Result<Vec<Picture>> {
    let [whole, without] = outputs else {
        let found = outputs.len().to_string();
        return Err(Error::mismatch("ablation", "two tables", found));
    };
    let classes = names.len();
    let ((with, all), (less, rest)) = (shares(whole, classes), shares(without, classes));
    let lost = |class: &usize| with[*class] - less[*class];
    let most = (0..classes).max_by(|a, b| lost(a).total_cmp(&lost(b)));
    let suffers = match most.filter(|class| lost(class) > 0.0) {
        Some(class) => format!(
            "{} suffers most: {:.1} to {:.1} %",
            names[class],
            100.0 * with[class],
            100.0 * less[class]
        ),
        None => "no class suffers".to_owned(),
    };
    let title = format!(
        "Accuracy {:.2} % with {unit}, {:.2} % without · {suffers}",
        100.0 * all,
        100.0 * rest
    );
    let end = |name: Option<&String>| name.cloned().unwrap_or_default();
    let [first, last] = [names.first(), names.last()].map(end);
    Ok(vec![
        Picture::curves(title, &[less, with])?.between(first, last),
    ])
}
