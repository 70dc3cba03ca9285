//! Which units of a layer do nothing, always the same, or what another does already: over a sample of the dataset,
//! how often each is active, its mean and spread, and the correlation of every two. Means and products are taken
//! about each batch's own mean and merged exactly (as in `ops::moments`), so that a unit that hardly varies is not
//! mistaken.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::Graph;
use crate::nn::Mode;
use crate::ops::{self, Pool2d};
use crate::tensor::Tensor;

use super::attribution::{clamp, size};
use super::sample::{self, Sample};
use super::{Needs, Picture, Recipe, Request, Shown, Visualization, as_maps, check_finite};

/// The method.
#[derive(Debug)]
pub(super) struct UnitReport;

/// Most units of a layer: beyond, the matrix of their correlations would fill the tab's memory.
const MOST_UNITS: usize = 2048;

/// Two units of a greater correlation do the same.
const ALIKE: f32 = 0.95;

/// Findings of a kind that are told one by one.
const MOST_TOLD: usize = 12;

impl Visualization for UnitReport {
    fn id(&self) -> &'static str {
        "unit-report"
    }

    fn name(&self) -> &'static str {
        "Dead, saturated and duplicate units"
    }

    fn doc(&self) -> &'static str {
        "How often each unit of the layer is active, its mean and spread, and which two do the same: their \
         correlation over all positions of a sample."
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
        sample::fields(512.0)
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let units = request.network.layers[request.layer].shape[0];
        let place = "unit report";
        request.behind_input(place)?;
        let expected = format!("a layer of at most {MOST_UNITS} units");
        request.require(units <= MOST_UNITS, place, &expected)?;
        let mut graph = Graph::new();
        let g = &mut graph;
        let mut sample = Sample::new(request, g)?;
        let built = request.network.build(g, sample.batch.images, Mode::Eval)?;
        let maps = as_maps(g, built.layers[request.layer])?;
        let [n, h, w, _] = g.shape(maps).four(place)?;
        let rows = n * h * w;
        // 1 for each image in which the unit's map is anywhere else than at zero.
        let sizes = size(g, maps)?;
        let largest = ops::max_pool2d(g, sizes, Pool2d::whole([h, w]))?;
        let steep = ops::affine(g, largest, 1e30, 0.0)?;
        let active = clamp(g, steep, 0.0, 1.0)?;
        let active = ops::sum(g, active, [1, n, units], [units], 1.0)?;
        let mean = ops::sum(g, maps, [1, rows, units], [units], 1.0 / rows as f32)?;
        let minus = ops::affine(g, mean, -1.0, 0.0)?;
        let about = ops::add(g, maps, minus)?;
        let about = ops::reshape(g, about, [rows, units])?;
        let products = ops::matmul(g, about, about, true, false)?;
        let range = ops::channel_range(g, maps)?;
        let outputs = [
            sample.total(g, "active images", active)?,
            sample.rows(g, "means of runs", mean)?,
            sample.rows(g, "ranges of runs", range)?,
            sample.total(g, "products", products)?,
            sample.advance(g)?,
        ];
        let shown = Report {
            layer: request.layer_id().to_owned(),
            units,
            sample: sample.said.clone(),
            batch: n,
            rows,
        };
        Ok(Recipe {
            compiled: compile(&graph, place, &outputs)?,
            buffers: sample.buffers,
            runs: u32::try_from(sample.runs).unwrap_or(u32::MAX),
            decode: Box::new(move |outputs| shown.pictures(outputs)),
            then: None,
        })
    }
}

/// What the pictures are made with.
struct Report {
    layer: String,
    units: usize,
    sample: String,
    /// Images of a run, and their positions of the layer's maps.
    batch: usize,
    rows: usize,
}

/// What was measured of each unit.
struct Measured {
    /// Share of images in which it is active.
    active: Vec<f32>,
    mean: Vec<f32>,
    spread: Vec<f32>,
    /// Smallest and largest activation.
    range: Vec<[f32; 2]>,
    /// `[units, units]`; a unit that does not vary correlates with none but itself.
    correlation: Vec<f32>,
}

impl Report {
    fn pictures(&self, outputs: &[Vec<f32>]) -> Result<Vec<Picture>> {
        let Self {
            layer,
            units,
            sample,
            ..
        } = self;
        let found = self.measured(outputs)?;
        let title = format!("Share of {sample} in which each unit of {layer} is active at all");
        let spread = format!("Mean (solid) and spread (dashed) of each unit of {layer}");
        let matrix = format!("Correlation of every two units of {layer}, over all positions");
        let [note, alike] = told(&found);
        let table = Tensor::new([1, *units, *units], found.correlation)?;
        let ends = ["unit 0".to_owned(), format!("unit {}", units - 1)];
        let [first, last] = &ends;
        let mut pictures = vec![
            Picture::curves(title, &[found.active])?.between(first, last),
            Picture::curves(spread, &[found.mean, found.spread])?.between(first, last),
            Picture::new(matrix, &table, true)?.shown(Shown::Map),
        ];
        pictures[0].note = Some(note);
        pictures[2].note = Some(alike);
        Ok(pictures)
    }

    fn measured(&self, outputs: &[Vec<f32>]) -> Result<Measured> {
        let [active, means, ranges, products, done] = outputs else {
            let found = outputs.len().to_string();
            return Err(Error::mismatch("unit report", "five outputs", found));
        };
        let units = self.units;
        let runs = done.iter().filter(|&&done| done > 0.0).count().max(1);
        check_finite(&self.layer, "activations", means)?;
        let images = (runs * self.batch) as f32;
        let column = |table: &[f32], width: usize, at: usize| -> Vec<f32> {
            table
                .iter()
                .skip(at)
                .step_by(width)
                .take(runs)
                .copied()
                .collect()
        };
        let by_unit: Vec<Vec<f32>> = (0..units).map(|unit| column(means, units, unit)).collect();
        let mean = |row: &Vec<f32>| row.iter().sum::<f32>() / runs as f32;
        let mean: Vec<f32> = by_unit.iter().map(mean).collect();
        let covariance = |i: usize, j: usize| {
            let pairs = by_unit[i].iter().zip(&by_unit[j]);
            let between: f32 = pairs.map(|(x, y)| (x - mean[i]) * (y - mean[j])).sum();
            (products[i * units + j] / self.rows as f32 + between) / runs as f32
        };
        let spread: Vec<f32> = (0..units)
            .map(|unit| covariance(unit, unit).max(0.0).sqrt())
            .collect();
        let end = |unit: usize, which: usize| {
            let ends = column(ranges, 2 * units, 2 * unit + which);
            let pick = if which == 0 { f32::min } else { f32::max };
            ends.into_iter().reduce(pick).unwrap_or(0.0)
        };
        let correlation = |i: usize, j: usize| {
            let product = spread[i] * spread[j];
            match i == j {
                true => 1.0,
                false if product > 0.0 => covariance(i, j) / product,
                false => 0.0,
            }
        };
        Ok(Measured {
            active: active.iter().map(|active| active / images).collect(),
            range: (0..units)
                .map(|unit| [end(unit, 0), end(unit, 1)])
                .collect(),
            correlation: (0..units * units)
                .map(|at| correlation(at / units, at % units))
                .collect(),
            mean,
            spread,
        })
    }
}

/// What is wrong with single units, and which two do the same, in plain words.
fn told(found: &Measured) -> [String; 2] {
    let units = found.mean.len();
    let ends = found.range.iter().flatten();
    let (low, high) = ends.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &x| {
        (low.min(x), high.max(x))
    });
    let largest = high.max(-low);
    let near = |x: f32, end: f32| (x - end).abs() <= 0.01 * (high - low);
    let (mut dead, mut constant, mut saturated) = (Vec::new(), Vec::new(), Vec::new());
    for (unit, &[least, most]) in found.range.iter().enumerate() {
        let (mean, spread) = (found.mean[unit], found.spread[unit]);
        let at_end = near(least, high) || near(most, low) && low < 0.0;
        // A variance is at most this, and only where all values are at one end or the other (Bhatia & Davis
        // 2000, "A better bound on the variance").
        let widest = (most - mean) * (mean - least);
        if most.max(-least) <= 1e-6 * largest {
            dead.push(unit.to_string());
        } else if near(least, most) && at_end {
            saturated.push(format!("{unit} (at {mean:.2})"));
        } else if near(least, most) {
            constant.push(format!("{unit} (at {mean:.2})"));
        } else if near(least, low) && near(most, high) && spread * spread > ALIKE * widest {
            saturated.push(format!("{unit} (at {least:.2} or {most:.2})"));
        }
    }
    let varies = |unit: &usize| !near(found.range[*unit][0], found.range[*unit][1]);
    let varying: Vec<usize> = (0..units).filter(varies).collect();
    let mut pairs = Vec::new();
    for (at, &i) in varying.iter().enumerate() {
        for &j in &varying[at + 1..] {
            let correlation = found.correlation[i * units + j];
            if correlation > ALIKE {
                pairs.push(format!("{i} and {j} ({correlation:.2})"));
            }
        }
    }
    let kinds = [
        ("Dead, never active", dead),
        (
            "Saturated, always at an end of the layer's range",
            saturated,
        ),
        ("Always nearly the same", constant),
    ];
    let said =
        kinds.map(|(kind, list)| listed(&format!("{kind} ({} of {units})", list.len()), &list));
    let said = said.concat();
    let single = match said.is_empty() {
        true => "No unit is dead or saturated.".to_owned(),
        false => said.trim_end().to_owned(),
    };
    let double = match pairs.is_empty() {
        true => format!("No two units correlate above {ALIKE}."),
        false => listed("Units that do the same", &pairs)
            .trim_end()
            .to_owned(),
    };
    [single, double]
}

/// "kind: a, b and 3 more. "; nothing for none.
fn listed(kind: &str, list: &[String]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let more = match list.len().saturating_sub(MOST_TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let told = &list[..list.len().min(MOST_TOLD)];
    format!("{kind}: {}{more}. ", told.join(", "))
}
