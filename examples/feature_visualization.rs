//! Measures optimized images on a network that it trains first: for how many units of each layer the image
//! excites the unit more than the best of many dataset images, how rough the images are beside the
//! dataset's, and which of the images of the classes are classified as theirs. Writes sheets of the
//! pictures as PPM files.
//!
//! `cargo run --release --example feature_visualization -- ARCHITECTURE DATASET [steps] [images] [OUT]
//! [settings as JSON] [layers]`, where DATASET is a generated one or a folder with the four IDX.gz files of MNIST.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use convscope::backend::Backend as _;
use convscope::backend::cpu::Cpu;
use convscope::data::{Dataset, generate, load_idx};
use convscope::field::Values;
use convscope::nn::Network;
use convscope::tensor::Tensor;
use convscope::train::{Loaded, Plan, Probe, Session};
use convscope::visualize::{Job, Picture, Request, find_visualization, roughness, roughness_of};
use convscope::zoo;
use pollster::block_on;
use serde_json::{Map, Value, json};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const METHOD: &str = "activation-maximization";
const BATCH: usize = 32;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |i: usize, default: &str| arguments.get(i).map_or(default, |x| x).to_owned();
    let dataset = dataset(&argument(1, "pen-digits"))?;
    let steps: u32 = argument(2, "400").parse()?;
    let images: usize = argument(3, "1000").parse()?;
    let out = argument(4, "");
    let settings: Map<String, Value> = serde_json::from_str(&argument(5, "{}"))?;
    let only = argument(6, "");
    let is_chosen = |id: &str| only.is_empty() || only.split(',').any(|name| name == id);

    let given = Map::new();
    let classes = dataset.classes.len();
    let spec = zoo::spec(&argument(0, "lenet5"), &given, dataset.shape, classes)?;
    let cpu = Cpu::new();
    let data = Rc::new(Loaded::new(&cpu, dataset)?);
    let mut session = Session::new(&cpu, data, Network::new(&spec)?, 1)?;
    train(&mut session, steps)?;
    say(&format!(
        "{} after {steps} steps on {}",
        spec.name,
        cpu.adapter().name
    ))?;

    let probe = block_on(session.probe())?;
    let best = best_of_dataset(&session, &probe, images)?;
    let [_, h, w] = spec.input;
    let expected = roughness_of(&session.data().look().spectrum, [h, w]);
    say(&format!("roughness of the dataset: {expected:.3}"))?;
    let network = session.network().clone();
    for (index, layer) in network.layers.iter().enumerate() {
        if !is_shown(&network, index) || !is_chosen(&layer.id) {
            continue;
        }
        let start = Instant::now();
        let mut fields = settings.clone();
        fields.insert("wholeLayer".into(), json!(true));
        let pictures = pictures(&session, METHOD, index, &fields)?;
        let took = start.elapsed().as_secs_f64();
        let mut report = Report::default();
        for (unit, picture) in pictures.iter().enumerate() {
            let found = center(&activations(&session, &probe, picture, index)?, unit);
            report.add(picture, found, best[index][unit]);
        }
        say(&format!("{:14} {report} in {took:.1} s", layer.id))?;
        sheet(&out, &layer.id, &pictures)?;
    }
    let pictures = pictures(&session, "class-image", 0, &Map::new())?;
    let mut right = 0;
    for (class, picture) in pictures.iter().enumerate() {
        probe.run(&tensor(picture)?)?;
        let found = block_on(probe.probabilities())?;
        right += usize::from(found.iter().all(|p| *p <= found[class]));
    }
    say(&format!(
        "class images classified as theirs: {right} of {}",
        pictures.len()
    ))?;
    sheet(&out, "classes", &pictures)
}

/// What was found of a layer.
#[derive(Default)]
struct Report {
    higher: usize,
    dead: usize,
    units: usize,
    ratios: Vec<f32>,
    roughness: Vec<f32>,
    notes: usize,
}

impl Report {
    fn add(&mut self, picture: &Picture, found: f32, best: f32) {
        self.units += 1;
        self.higher += usize::from(found > best);
        self.dead += usize::from(found <= 0.0 && best <= 0.0);
        self.ratios.push(found / best);
        self.notes += usize::from(picture.note.is_some());
        let Picture {
            width,
            height,
            channels,
            data,
            ..
        } = picture;
        let area = width * height;
        let pixel = |i: usize| data[i % channels * area + i / channels];
        let image: Vec<f32> = (0..data.len()).map(pixel).collect();
        self.roughness
            .push(roughness(&image, [*height, *width, *channels]));
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |values: &[f32], share: f32| {
            let mut sorted = values.to_vec();
            sorted.sort_by(f32::total_cmp);
            sorted[((sorted.len() - 1) as f32 * share) as usize]
        };
        write!(
            f,
            "{:3} of {:3} above the best image ({} dead), {:.2} times it (median); roughness {:.2}, at most \
             {:.2}; {} notes",
            self.higher,
            self.units,
            self.dead,
            of(&self.ratios, 0.5),
            of(&self.roughness, 0.5),
            of(&self.roughness, 1.0),
            self.notes,
        )
    }
}

fn dataset(name: &str) -> Outcome<Dataset> {
    let folder = Path::new(name);
    if !folder.is_dir() {
        return Ok(generate(name, &Map::new())?);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".gz") {
            files.push((name, std::fs::read(path)?));
        }
    }
    let named: Vec<(String, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (name.clone(), bytes.as_slice()))
        .collect();
    Ok(load_idx("MNIST", &named)?)
}

fn train(session: &mut Session<Cpu>, steps: u32) -> Outcome {
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

/// Layers whose units are looked at: with weights, and rectified sums.
fn is_shown(network: &Network, index: usize) -> bool {
    let layer = &network.layers[index];
    layer.kind == "conv2d" || layer.kind == "dense" || layer.kind == "relu" || layer.kind == "tanh"
}

/// For each shown layer and unit, the largest value at the middle of its map over training images.
fn best_of_dataset(
    session: &Session<Cpu>,
    probe: &Probe<Cpu>,
    images: usize,
) -> Outcome<Vec<Vec<f32>>> {
    let network = session.network();
    let channels = network.layers.iter().map(|layer| layer.shape[0]);
    let mut best: Vec<Vec<f32>> = channels.map(|c| vec![f32::NEG_INFINITY; c]).collect();
    let train = &session.data().dataset.train;
    for image in 0..images.min(train.len()) {
        probe.run(&train.image(image)?)?;
        for (index, best) in best.iter_mut().enumerate() {
            if is_shown(network, index) {
                let maps = block_on(probe.activations(network, index))?;
                let units = best.iter_mut().enumerate();
                units.for_each(|(unit, best)| *best = best.max(center(&maps, unit)));
            }
        }
    }
    Ok(best)
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

fn activations(
    session: &Session<Cpu>,
    probe: &Probe<Cpu>,
    picture: &Picture,
    layer: usize,
) -> Outcome<Tensor> {
    probe.run(&tensor(picture)?)?;
    Ok(block_on(probe.activations(session.network(), layer))?)
}

fn pictures(
    session: &Session<Cpu>,
    method: &str,
    layer: usize,
    fields: &Map<String, Value>,
) -> Outcome<Vec<Picture>> {
    let method = find_visualization(method)?;
    let (network, data) = (session.network(), session.data());
    let values = Values::check(method.id(), &method.fields_for(network.spec.input), fields)?;
    let image = data.dataset.test.image(0)?;
    let request = Request {
        network,
        normalization: (&data.normalization.0, &data.normalization.1),
        look: data.look(),
        layer,
        channel: 0,
        image: Some(&image),
        directions: None,
        seed: 1,
        values,
        data: Some(&data.layout),
        classes: &data.dataset.classes,
    };
    let mut job = block_on(Job::new(session, method, &request))?;
    loop {
        let pictures = block_on(job.advance(session, 256))?;
        if job.finished() {
            return Ok(pictures);
        }
    }
}

/// Writes pictures side by side, eight in a row at twice their size.
fn sheet(folder: &str, name: &str, pictures: &[Picture]) -> Outcome {
    let Some(first) = pictures.first().filter(|_| !folder.is_empty()) else {
        return Ok(());
    };
    let (w, h, c) = (first.width, first.height, first.channels);
    let columns = pictures.len().min(16);
    let [width, height] = [
        columns * (2 * w + 4),
        pictures.len().div_ceil(columns) * (2 * h + 4),
    ];
    let mut bytes = format!("P6 {width} {height} 255\n").into_bytes();
    for (y, x) in (0..width * height).map(|i| (i / width, i % width)) {
        let (row, column) = (y / (2 * h + 4), x / (2 * w + 4));
        let (y, x) = (y % (2 * h + 4) / 2, x % (2 * w + 4) / 2);
        let picture = pictures.get(row * columns + column);
        let at = |channel: usize| match picture.filter(|_| y < h && x < w) {
            Some(picture) => picture.data[(channel % c * h + y) * w + x],
            None => 0.5,
        };
        bytes.extend([at(0), at(1), at(2)].map(|value| (value.clamp(0.0, 1.0) * 255.0) as u8));
    }
    std::fs::create_dir_all(folder)?;
    std::fs::write(Path::new(folder).join(format!("{name}.ppm")), bytes)?;
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
