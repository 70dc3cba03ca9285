//! How a unit's activations are spread over the dataset: its strongest in each image of a sample, counted in bins, for
//! all images and class by class. A unit that tells a class from others has that class's row apart from theirs; one
//! that no class moves has rows that are alike.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::Graph;
use crate::nn::Mode;
use crate::ops;
use crate::tensor::Tensor;

use super::sample::{self, Sample};
use super::top_patches::strongest;
use super::{Needs, Picture, Recipe, Request, Shown, Visualization, check_finite, class_name};

/// The method.
#[derive(Debug)]
pub(super) struct ActivationHistogram;

impl Visualization for ActivationHistogram {
    fn id(&self) -> &'static str {
        "activation-histogram"
    }

    fn name(&self) -> &'static str {
        "Activations over the data"
    }

    fn doc(&self) -> &'static str {
        "How often the unit is how active: its strongest activation in each image of a sample, for all images and for \
         those of each class."
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
        let mut fields = sample::fields(2000.0);
        let bins = "Bins from the smallest value to the largest.";
        fields.push(Field::integer("bins", bins, 4.0, 256.0, 32.0));
        fields
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let place = "activation histogram";
        request.behind_input(place)?;
        let mut graph = Graph::new();
        let g = &mut graph;
        let mut sample = Sample::new(request, g)?;
        let built = request.network.build(g, sample.batch.images, Mode::Eval)?;
        let (values, _) = strongest(g, built.layers[request.layer])?;
        let own = ops::slice_channels(g, values, request.channel, 1)?;
        let classes = request.network.spec.classes;
        let labels = ops::one_hot(g, sample.batch.labels, classes)?;
        let numbers: Vec<f32> = (0..classes).map(|class| class as f32).collect();
        let numbers = g.constant([classes, 1], &numbers)?;
        let numbers = ops::matmul(g, labels, numbers, false, false)?;
        let outputs = [
            sample.rows(g, "strongest of runs", own)?,
            sample.rows(g, "classes of runs", numbers)?,
            sample.advance(g)?,
        ];
        let shown = Spread {
            unit: format!("{} unit {}", request.layer_id(), request.channel),
            names: (0..classes)
                .map(|class| class_name(request.classes, class))
                .collect(),
            bins: request.values.integer("bins")?,
            said: sample.said,
        };
        let decode = move |outputs: &[Vec<f32>]| {
            let [values, classes, done] = outputs else {
                let found = outputs.len().to_string();
                return Err(Error::mismatch(place, "three outputs", found));
            };
            check_finite(place, "activations", values)?;
            // A run's images lie side by side.
            let runs = done.iter().filter(|&&done| done > 0.0).count();
            let seen = runs * (values.len() / done.len());
            let seen = values.iter().zip(classes).take(seen);
            shown.pictures(
                &seen
                    .map(|(x, class)| (*x, *class as usize))
                    .collect::<Vec<_>>(),
            )
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

/// What the pictures are made with.
struct Spread {
    unit: String,
    /// Of the classes.
    names: Vec<String>,
    bins: usize,
    said: String,
}

impl Spread {
    /// Of the activation and the class of each image seen.
    fn pictures(&self, seen: &[(f32, usize)]) -> Result<Vec<Picture>> {
        let (bins, classes) = (self.bins, self.names.len());
        let all = || seen.iter().map(|(x, _)| *x);
        let low = all().fold(f32::INFINITY, f32::min);
        let high = all().fold(f32::NEG_INFINITY, f32::max);
        let mut counts = vec![0.0_f32; classes * bins];
        let mut of_class = vec![(0.0_f32, 0.0_f32); classes];
        for &(x, class) in seen {
            let bin = ((x - low) / (high - low).max(f32::MIN_POSITIVE) * bins as f32) as usize;
            counts[class * bins + bin.min(bins - 1)] += 1.0;
            of_class[class].0 += 1.0;
            of_class[class].1 += x;
        }
        let total: Vec<f32> = (0..bins)
            .map(|bin| counts.iter().skip(bin).step_by(bins).sum())
            .collect();
        let shares: Vec<f32> = (0..classes * bins)
            .map(|at| counts[at] / of_class[at / bins].0.max(1.0))
            .collect();
        let (unit, said) = (&self.unit, &self.said);
        let title = format!(
            "Strongest activation of {unit} in each of {said}: images in each of {bins} bins"
        );
        let ends = [low, high].map(|end| format!("{end:.3}"));
        let [first, last] = ends.clone();
        let mut curve = Picture::curves(title, &[total])?.between(first, last);
        curve.note = self.means(&of_class);
        let title = format!(
            "The same for each class (rows, {} to {}): share of its images in each bin, from {} to {}",
            self.names[0],
            self.names[classes - 1],
            ends[0],
            ends[1]
        );
        let table = Tensor::new([1, classes, bins], shares)?;
        Ok(vec![
            curve,
            Picture::new(title, &table, false)?.shown(Shown::Map),
        ])
    }

    /// Which class moves the unit most, of the classes' images and the sums of their activations.
    fn means(&self, of_class: &[(f32, f32)]) -> Option<String> {
        let there = of_class
            .iter()
            .zip(&self.names)
            .filter(|((n, _), _)| *n > 0.0);
        let mut means: Vec<(f32, &str)> = there
            .map(|((n, sum), name)| (sum / n, name.as_str()))
            .collect();
        means.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (low, high) = (means.first()?, means.last()?);
        Some(format!(
            "On average strongest for {} ({:.2}), weakest for {} ({:.2}).",
            high.1, high.0, low.1, low.0
        ))
    }
}
