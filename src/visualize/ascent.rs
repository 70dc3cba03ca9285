//! Gradient ascent on images: parameterization x transformations x network x objective x regularizers x
//! optimizer, put together here once for every method that optimizes an image. Coefficients, optimizer
//! state and step counter live on the device, so that a step is one run of the program; the weights are
//! the network's own, so that images go on improving while it trains.

use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::Graph;
use crate::nn::Built;
use crate::train::{OPTIMIZERS, find_optimizer};

use super::climb::{Climb, Goal, Program};
use super::diagnosis::{Evidence, roughness_of};
use super::palette::Palette;
use super::parameterization::{self, Canvas, PARAMETERIZATIONS};
use super::preset::Preset;
use super::regularizer::REGULARIZERS;
use super::transformation::TRANSFORMATIONS;
use super::{Buffers, Course, Decode, Picture, Recipe, Request, Round, image_from_output};

/// Images to be optimized, in batches of one size.
#[derive(Debug)]
pub(super) struct Ascent<'a> {
    /// The request.
    pub(super) request: &'a Request<'a>,
    /// Images of a batch.
    pub(super) images: usize,
    /// The batches.
    pub(super) batches: Vec<Batch>,
    /// What the objective's value is called.
    pub(super) value: &'static str,
}

/// One batch.
#[derive(Debug)]
pub(super) struct Batch {
    /// Titles of the pictures; a last batch may have fewer than images.
    pub(super) titles: Vec<String>,
    /// The goal's own outside buffers for this batch.
    pub(super) buffers: Buffers,
}

/// Where the optimization begins.
const STARTS: &[&str] = &["noise", "mean", "image"];

/// Steps that no one counts.
const ENDLESS: u32 = u32::MAX;

/// The fields of every ascent.
pub(super) fn fields(preset: &Preset) -> Vec<Field> {
    let start = "Small noise on the mean color, the mean color itself, or the chosen image.";
    let live = "Go on improving, with the weights as they are, until stopped: run it while the network trains.";
    let how = "What is optimized: spatial frequencies, pixels, grids from coarse to fine, or a small network \
               from coordinates to colors.";
    // Not those that scale steps by the norm of a layer's weights: here is no layer.
    let optimizers = OPTIMIZERS.iter().filter(|info| !info.by_tensor);
    let optimizers: Vec<&str> = optimizers.map(|info| info.id).collect();
    let ways: Vec<&str> = PARAMETERIZATIONS.iter().map(|entry| entry.id).collect();
    let rate = "Size of the optimizer's steps.";
    let contrast =
        "How far the image may go from where it began, in units of the dataset's deviation.";
    let mut fields = vec![
        Field::integer(
            "steps",
            "Steps of gradient ascent; one in 32, at the end, without movements.",
            1.0,
            4096.0,
            preset.steps.into(),
        ),
        Field::number("learningRate", rate, 0.0001, 10.0, preset.rate),
        Field::choice("optimizer", "Follows the gradient.", &optimizers, "sgd"),
        Field::choice("parameterization", how, &ways, preset.parameterization),
        Field::number("contrast", contrast, 0.01, 100.0, 1.0),
        Field::choice("start", start, STARTS, preset.start),
    ];
    fields.extend(
        TRANSFORMATIONS
            .iter()
            .flat_map(|entry| (entry.fields)(preset)),
    );
    fields.extend(REGULARIZERS.iter().flat_map(|entry| (entry.fields)(preset)));
    fields.push(Field::bool("live", live, false));
    fields
}

impl Ascent<'_> {
    /// The course of an ascent towards `goal`, which is given the network's values for the moved images.
    ///
    /// # Errors
    /// When a setting does not fit the others.
    pub(super) fn course(
        self,
        goal: impl FnOnce(&mut Graph, &Built) -> Result<Goal>,
    ) -> Result<Course> {
        let request = self.request;
        let values = &request.values;
        let (n, shape) = (self.images, request.network.spec.input);
        let [c, h, w] = shape;
        let way = parameterization::find(&values.choice("parameterization")?)?;
        let optimizer = find_optimizer(&values.choice("optimizer")?)?;
        let canvas = Canvas::new(n, shape, &request.look.spectrum);
        let palette = Palette::new(&request.look.covariance, request.mean());

        let live = values.bool("live")?;
        let runs = match live {
            true => ENDLESS,
            false => u32::try_from(values.integer("steps")?).unwrap_or(ENDLESS),
        };
        let climb = Climb {
            request,
            canvas: &canvas,
            palette: &palette,
            way,
            optimizer,
            runs,
            words: n * (way.count)(&canvas),
            limit: canvas.limit(values.number("contrast")? as f32 * request.deviation()),
        };
        let Program {
            compiled,
            movements,
            regularized,
        } = climb.program(goal)?;
        let mut buffers = climb.buffers()?;
        buffers.extend(movements);
        let amplitudes: Vec<f32> = canvas.reach.iter().map(|x| x * x).collect();
        let evidence = Evidence {
            shape: [h, w, c],
            value: self.value,
            roughness: roughness_of(&amplitudes, [h, w]),
            deviation: request.normalization.0.iter().map(|x| 1.0 / x).sum::<f32>() / c as f32,
            regularized,
        };
        let mut rounds = self.batches.into_iter().map(|batch| Round {
            buffers: batch.buffers,
            decode: decoder(batch.titles, evidence),
        });
        let Some(first) = rounds.next() else {
            return Err(Error::mismatch("gradient ascent", "an image", "none"));
        };
        buffers.extend(first.buffers);
        let more = if live { Vec::new() } else { rounds.collect() };
        Ok(Course {
            recipe: Recipe {
                compiled,
                buffers,
                runs,
                decode: first.decode,
                then: None,
            },
            more,
            live,
            optimizes: true,
        })
    }
}

/// Pictures of a batch from its images, the numbers that are shown, and the squares of their pull.
fn decoder(titles: Vec<String>, evidence: Evidence) -> Decode {
    Box::new(move |outputs: &[Vec<f32>]| {
        let [h, w, c] = evidence.shape;
        let images = outputs[0].chunks_exact(c * h * w);
        let numbers = outputs[1].iter().zip(&outputs[2]);
        let each = images.zip(numbers).zip(&titles);
        let picture = |((image, (&shown, &pull)), title): ((&[f32], _), &String)| {
            let title = format!("{title} · {} {shown:.3}", evidence.value);
            let mut picture = Picture::new(title, &image_from_output(image, [c, h, w])?, false)?;
            picture.note = evidence.diagnose(image, shown, pull);
            Ok(picture)
        };
        each.map(picture).collect()
    })
}
