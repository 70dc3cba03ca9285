//! Measures optimized images on a network that it trains first, all by the page's own defaults: for how many
//! units of each layer the image excites the unit more than the best of 10,000 dataset images, how its power
//! falls with frequency beside the dataset's, and which of the images of the classes are classified as theirs.
//! Writes sheets of the pictures, and of the best and the worst, as PNG files.
//!
//! ```text
//! cargo run --release --example feature_visualization -- '{ "data": "cifar-10", "network": "mini-vgg", "steps": 600 }'
//! ```
//!
//! Fields and their defaults: `data` ("pen-digits", any generated dataset, or one of `folder` as in the example
//! `train`), `folder` ("../shared/data"), `network` ("lenet5"), `steps` 400 (of training, 32 images each), `images` 10000
//! (of the test split), `layers` (a list, which may be empty where only class images are asked for; those behind whose
//! activation other layers begin, and the class scores), `settings` (of activation maximization), `classSettings` (of
//! class images), `out` (a folder for the sheets).

#[path = "common/mod.rs"]
#[expect(dead_code, reason = "the test images are taken as they are")]
mod common;
#[path = "common/looking.rs"]
mod looking;

use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use convscope::backend::Backend as _;
use convscope::backend::cpu::Cpu;
use convscope::compile::compile;
use convscope::data::{DATASETS, Dataset, generate};
use convscope::graph::Graph;
use convscope::nn::{Mode, Network};
use convscope::tensor::{Spec, Tensor, hartley};
use convscope::train::{Loaded, Plan, Session, read_view};
use convscope::visualize::Picture;
use convscope::zoo;
use pollster::block_on;
use serde_json::{Map, Value, json};

use common::Outcome;
use looking::sheet;

const METHOD: &str = "activation-maximization";
/// Images of a training step.
const BATCH: usize = 32;
/// Images that are looked at together.
const LOOK: usize = 100;

fn main() -> Outcome<()> {
    let given = std::env::args().nth(1).unwrap_or_else(|| "{}".into());
    let given: Map<String, Value> = serde_json::from_str(&given)?;
    let text = |name: &str, default: &'static str| {
        let found = given.get(name).and_then(Value::as_str);
        found.unwrap_or(default).to_owned()
    };
    let number = |name: &str, default| given.get(name).and_then(Value::as_u64).unwrap_or(default);
    let dataset = dataset(
        &text("data", "pen-digits"),
        &text("folder", "../shared/data"),
    )?;
    let settings = |name: &str| {
        let found = given.get(name).and_then(Value::as_object);
        found.cloned().unwrap_or_default()
    };
    let out = text("out", "");

    let classes = dataset.classes.len();
    let spec = zoo::spec(
        &text("network", "lenet5"),
        &Map::new(),
        dataset.shape,
        classes,
    )?;
    let cpu = Cpu::new();
    let data = Rc::new(Loaded::new(&cpu, dataset)?);
    let mut session = Session::new(&cpu, data, Network::new(&spec)?, 1)?;
    let steps = u32::try_from(number("steps", 400))?;
    train(&mut session, steps)?;
    let shown: Vec<usize> = match given.get("layers").and_then(Value::as_array) {
        Some(ids) => ids
            .iter()
            .filter_map(Value::as_str)
            .map(|id| Ok(session.network().layer(id)?.0))
            .collect::<Outcome<_>>()?,
        None => activated(session.network()),
    };

    let probe = block_on(session.probe())?;
    let images = usize::try_from(number("images", 10_000))?;
    let best = best_of_dataset(&session, &shown, images)?;
    let usual = usual_fall(&session)?;
    say(&format!(
        "{} after {steps} steps; power of the dataset's images falls as frequency to the {usual:.2} (median)",
        spec.name
    ))?;
    let mut all: Vec<(f32, Picture)> = Vec::new();
    let mut total = Report::default();
    for (&index, best) in shown.iter().zip(&best) {
        let layer = &session.network().layers[index];
        let start = Instant::now();
        let mut fields = settings("settings");
        fields.insert("wholeLayer".into(), json!(true));
        let pictures = pictures(&session, METHOD, index, &fields)?;
        let took = start.elapsed().as_secs_f64();
        let [rows, columns] = layer.receptive_field.size;
        let [_, h, w] = spec.input;
        // Of a picture the unit sees a part only, and the rest stays as it was.
        let sees_half = 2 * rows >= h && 2 * columns >= w;
        let mut report = Report::default();
        for ((unit, picture), best) in pictures.iter().enumerate().zip(best) {
            probe.run(&tensor(picture)?)?;
            let maps = block_on(probe.activations(session.network(), index))?;
            let found = Found {
                excess: center(&maps, unit) - best,
                ratio: center(&maps, unit) / best.abs(),
                fall: sees_half.then(|| fall(picture)),
            };
            report.add(&found, picture, usual);
            total.add(&found, picture, usual);
            all.push((found.ratio, picture.clone()));
        }
        say(&format!("{:14} {report} in {took:.1} s", layer.id))?;
        sheet(&out, &layer.id, &pictures)?;
    }
    say(&format!("{:14} {total}", "all"))?;
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let worst: Vec<Picture> = all.iter().take(32).map(|(_, one)| one.clone()).collect();
    let best: Vec<Picture> = all
        .iter()
        .rev()
        .take(32)
        .map(|(_, one)| one.clone())
        .collect();
    worst
        .iter()
        .take(8)
        .try_for_each(|one| say(&format!("worst: {}", one.title)))?;
    sheet(&out, "worst", &worst)?;
    sheet(&out, "best", &best)?;
    let pictures = pictures(&session, "class-image", 0, &settings("classSettings"))?;
    let (mut right, mut falls) = (0, Vec::new());
    for (class, picture) in pictures.iter().enumerate() {
        probe.run(&tensor(picture)?)?;
        let found = block_on(probe.probabilities())?;
        let is_right = found.iter().all(|p| *p <= found[class]);
        right += usize::from(is_right);
        falls.push(fall(picture));
        if !is_right {
            say(&format!("taken for another class: {}", picture.title))?;
        }
    }
    say(&format!(
        "class images classified as theirs: {right} of {}; fall {:.2} (median)",
        pictures.len(),
        median(&falls)
    ))?;
    sheet(&out, "classes", &pictures)
}

/// What was found of one unit.
struct Found {
    /// The activation for its image beyond the dataset's best.
    excess: f32,
    /// The same as a factor.
    ratio: f32,
    /// How the picture's power falls with frequency, where the unit sees half of it or more.
    fall: Option<f32>,
}

/// What was found of a layer.
#[derive(Default)]
struct Report {
    higher: usize,
    units: usize,
    ratios: Vec<f32>,
    falls: Vec<f32>,
    steep: usize,
    notes: usize,
}

impl Report {
    fn add(&mut self, found: &Found, picture: &Picture, usual: f32) {
        self.units += 1;
        self.higher += usize::from(found.excess > 0.0);
        self.ratios.push(found.ratio);
        self.notes += usize::from(picture.note.is_some());
        self.falls.extend(found.fall);
        // White noise has a fall of 0.
        self.steep += usize::from(found.fall.is_some_and(|fall| fall < 0.5 * usual));
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [units, seen] = [self.units, self.falls.len()];
        write!(
            f,
            "{:4} of {units:4} above the best image ({:.1} %), {:.2} times it (median); fall {:.2} (median), at \
             least half the dataset's for {} of {seen}; {} notes",
            self.higher,
            100.0 * self.higher as f32 / units as f32,
            median(&self.ratios),
            median(&self.falls),
            self.steep,
            self.notes,
        )
    }
}

fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f32::NAN)
}

fn dataset(name: &str, folder: &str) -> Outcome<Dataset> {
    match DATASETS.iter().any(|entry| entry.id == name) {
        true => Ok(generate(name, &Map::new())?),
        false => common::dataset(name, Path::new(folder)),
    }
}

fn train(session: &mut Session<Cpu>, steps: u32) -> Outcome<()> {
    let settings = json!({ "learningRate": 0.02, "momentum": 0.9 });
    let settings = settings.as_object().cloned().unwrap_or_default();
    block_on(session.prepare(&Plan::new("sgd", &settings, BATCH)?))?;
    for first in (0..steps).step_by(64) {
        block_on(session.advance(64.min(steps - first)))?;
    }
    block_on(session.drain())?;
    let mut evaluation = block_on(session.evaluation("test"))?;
    while !block_on(evaluation.advance(20))? {}
    let report = block_on(evaluation.report())?;
    say(&format!("test accuracy {:.2} %", 100.0 * report.accuracy))?;
    Ok(())
}

/// The layers whose values others take as features: activations, blocks that end with one, and the class scores.
fn activated(network: &Network) -> Vec<usize> {
    let layers = network.layers.iter().enumerate();
    let ends = |kind: &str| {
        let kinds = [
            "relu",
            "relu6",
            "tanh",
            "silu",
            "hard_swish",
            "conv_block",
            "residual",
            "bottleneck",
        ];
        kinds.contains(&kind)
    };
    let mut shown: Vec<usize> = layers
        .filter(|(_, layer)| ends(&layer.kind))
        .map(|(index, _)| index)
        .collect();
    shown.push(network.layers.len() - 1);
    shown
}

/// For each of these layers and each unit, the largest value at the middle of its map over test images.
fn best_of_dataset(
    session: &Session<Cpu>,
    shown: &[usize],
    images: usize,
) -> Outcome<Vec<Vec<f32>>> {
    let (network, data, backend) = (session.network(), session.data(), session.backend());
    let images = images.min(data.layout.len("test")?);
    let batch = LOOK.min(images);
    let mut graph = Graph::new();
    let g = &mut graph;
    let chosen = g.external("chosen", Spec::u32([batch]))?;
    let inputs = data.layout.gather(g, "test", chosen)?;
    let built = network.build(g, inputs.images, Mode::Eval)?;
    let values: Vec<_> = shown.iter().map(|&index| built.layers[index]).collect();
    let compiled = compile(&graph, "best", &values)?;
    let chosen = backend.allocate("chosen", batch)?;
    let external = |name: &str| match name {
        "chosen" => Some(chosen.clone()),
        _ => session.buffer(name),
    };
    let prepared = block_on(backend.prepare(&compiled.program, &external))?;
    let channels = shown.iter().map(|&index| network.layers[index].shape[0]);
    let mut best: Vec<Vec<f32>> = channels.map(|c| vec![f32::NEG_INFINITY; c]).collect();
    for first in (0..images).step_by(batch) {
        // The last batch reaches back, so that it is full.
        let first = first.min(images - batch) as u32;
        let indices: Vec<u32> = (first..first + batch as u32).collect();
        backend.upload(&chosen, 0, &indices)?;
        backend.run(&prepared, 1)?;
        for ((&index, &view), best) in shown.iter().zip(&compiled.outputs).zip(&mut best) {
            let [c, h, w] = network.layers[index].shape;
            let values = block_on(read_view(backend, &prepared, view))?;
            for maps in values.chunks_exact(c * h * w) {
                let middle = &maps[(h / 2 * w + w / 2) * c..][..c];
                best.iter_mut()
                    .zip(middle)
                    .for_each(|(best, x)| *best = best.max(*x));
            }
        }
    }
    Ok(best)
}

/// The median of [`fall`] over a thousand images, taken evenly: files may be sorted by class.
fn usual_fall(session: &Session<Cpu>) -> Outcome<f32> {
    let test = &session.data().dataset.test;
    let shape = session.network().spec.input;
    let count = test.len().min(1000);
    let fall = |i: usize| {
        Ok(fall_of(
            &test.image(i * test.len() / count)?.to_vec(),
            shape,
        ))
    };
    Ok(median(
        &(0..count).map(fall).collect::<Outcome<Vec<f32>>>()?,
    ))
}

fn fall(picture: &Picture) -> f32 {
    fall_of(
        &picture.data,
        [picture.channels, picture.height, picture.width],
    )
}

/// The exponent of frequency that an image's `[c, h, w]` power goes with: the slope of a line through the logarithms of
/// the mean power of each ring of frequencies. 0 for white noise, about -2 for photographs.
fn fall_of(image: &[f32], [c, h, w]: [usize; 3]) -> f32 {
    let (rows, columns) = (hartley(h), hartley(w));
    let rings = h.min(w) / 2;
    let mut powers = vec![[0.0_f32, 0.0]; rings + 1];
    for plane in image.chunks_exact(h * w).take(c) {
        // [h, w] times columns, then rows times that; the constant lands in the frequency that is left out.
        let mut half = vec![0.0; h * w];
        for (i, half) in half.iter_mut().enumerate() {
            *half = (0..w)
                .map(|x| plane[i / w * w + x] * columns[x * w + i % w])
                .sum();
        }
        for i in 1..h * w {
            let value: f32 = (0..h)
                .map(|y| rows[i / w * h + y] * half[y * w + i % w])
                .sum();
            let along = |k: usize, size: usize| k.min(size - k) as f32;
            let ring = along(i / w, h).hypot(along(i % w, w)).round() as usize;
            if let Some([power, count]) = powers.get_mut(ring) {
                *power += value * value;
                *count += 1.0;
            }
        }
    }
    let points: Vec<(f32, f32)> = (1..=rings)
        .map(|ring| {
            let [power, count] = powers[ring];
            ((ring as f32).ln(), (power / count + 1e-12).ln())
        })
        .collect();
    let n = points.len() as f32;
    let (x, y) = points
        .iter()
        .fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let covariance: f32 = points.iter().map(|(a, b)| (a - x) * (b - y)).sum();
    covariance / points.iter().map(|(a, _)| (a - x) * (a - x)).sum::<f32>()
}

fn center(maps: &Tensor, unit: usize) -> f32 {
    let [_, h, w] = [0, 1, 2].map(|axis| maps.shape().dims()[axis]);
    maps.to_vec()[unit * h * w + h / 2 * w + w / 2]
}

fn tensor(picture: &Picture) -> Outcome<Tensor> {
    let Picture {
        width,
        height,
        channels,
        data,
        ..
    } = picture;
    Ok(Tensor::new([*channels, *height, *width], data.clone())?)
}

fn pictures(
    session: &Session<Cpu>,
    method: &str,
    layer: usize,
    fields: &Map<String, Value>,
) -> Outcome<Vec<Picture>> {
    looking::finished(session, looking::job(session, method, layer, fields)?, 256)
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
