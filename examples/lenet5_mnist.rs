//! Reproduces LeNet-5 on the whole of MNIST: `cargo run --release --example lenet5_mnist -- FOLDER
//! [cpu|webgpu] [epochs] [seed]`, where FOLDER holds the four IDX.gz files. Prints the test accuracy
//! after every epoch, and how long it took.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::backend::gpu::Gpu;
use convscope::data::load_idx;
use convscope::field::Values;
use convscope::nn::Network;
use convscope::train::{Loaded, Plan, Session};
use convscope::zoo;
use pollster::block_on;
use serde_json::{Map, json};

const FILES: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];
const BATCH: usize = 32;
const PEAK_RATE: f64 = 0.03;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .unwrap_or_else(|| "../shared/data/mnist".into());
    let backend = arguments.next().unwrap_or_else(|| "cpu".into());
    let epochs = arguments.next().map_or(Ok(12), |epochs| epochs.parse())?;
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    match backend.as_str() {
        "cpu" => reproduce(&Cpu::new(), Path::new(&folder), epochs, seed),
        "webgpu" => reproduce(&block_on(Gpu::new(None))?, Path::new(&folder), epochs, seed),
        other => Err(format!("expected cpu or webgpu, found {other}").into()),
    }
}

fn reproduce<B: Backend>(
    backend: &B,
    folder: &Path,
    epochs: u32,
    seed: u64,
) -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    for name in FILES {
        files.push((name.to_owned(), std::fs::read(folder.join(name))?));
    }
    let files: Vec<(String, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (name.clone(), bytes.as_slice()))
        .collect();
    let dataset = load_idx("MNIST", &files)?;
    let architecture = zoo::find("lenet5")?;
    let values = Values::check("lenet5", &(architecture.fields)(), &Map::new())?;
    let spec = (architecture.spec)(&values, dataset.shape, dataset.classes.len())?;
    let data = Rc::new(Loaded::new(backend, dataset)?);
    let mut session = Session::new(backend, data, Network::new(&spec)?, seed)?;
    let adapter = backend.adapter();
    say(&format!(
        "{} on {} ({})",
        spec.name, adapter.name, adapter.backend
    ))?;

    let start = Instant::now();
    let steps = session.steps_per_epoch(BATCH);
    for epoch in 0..epochs {
        // Cosine from the peak down to a hundredth, one rate per epoch.
        let turn = f64::from(epoch) / f64::from(epochs.max(2) - 1) * std::f64::consts::PI;
        let rate = PEAK_RATE * (0.01 + 0.99 * 0.5 * (1.0 + turn.cos()));
        let settings = json!({ "learningRate": rate, "momentum": 0.9, "weightDecay": 1e-3 });
        let settings = settings.as_object().cloned().unwrap_or_default();
        block_on(session.prepare(&Plan::new("sgd", &settings, BATCH)?))?;
        let mut loss = 0.0;
        for first in (0..steps).step_by(64) {
            let metrics = block_on(session.advance(64.min(steps - first)))?;
            loss += metrics.iter().map(|step| f64::from(step.loss)).sum::<f64>();
        }
        let tail = block_on(session.drain())?;
        loss += tail.iter().map(|step| f64::from(step.loss)).sum::<f64>();
        let mut evaluation = block_on(session.evaluation("test"))?;
        while !block_on(evaluation.advance(20))? {}
        let report = block_on(evaluation.report())?;
        say(&format!(
            "epoch {:2}: training loss {:.4}, test accuracy {:.2} %, {:.0} s",
            epoch + 1,
            loss / f64::from(steps),
            100.0 * report.accuracy,
            start.elapsed().as_secs_f64(),
        ))?;
    }
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
