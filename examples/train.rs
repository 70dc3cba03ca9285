//! Trains any architecture of the zoo on real data and prints what came of it: the measurements of the README and
//! of the tests' claims are runs of this.
//!
//! ```text
//! cargo run --release --example train -- '{ "data": "mnist", "network": "lenet5", "epochs": 12 }'
//! ```
//!
//! Fields and their defaults: `data` (mnist, rotated-mnist, cifar-10), `folder` ("../shared/data"), `network`,
//! `options` (of the network) or `spec` (a description of its own), `optimizer` (`{ "id": "sgd", ... }`), `schedule`, `loss`, `augmentations` (a
//! list), `batch` 64, `epochs` or `steps`, `every` (steps between evaluations; an epoch), `until` (stop at this test
//! accuracy), `trainImages` and `images` (train and evaluate on so many images of each split, taken evenly; all), `backend` "cpu", `seed` 1.

#[path = "common/mod.rs"]
mod common;

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::backend::gpu::Gpu;
use convscope::nn::{Network, NetworkSpec};
use convscope::train::{Loaded, Pick, Plan, Session};
use convscope::zoo;
use pollster::block_on;
use serde_json::{Map, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let given = std::env::args().nth(1).unwrap_or_else(|| "{}".into());
    let given: Map<String, Value> = serde_json::from_str(&given)?;
    match text(&given, "backend", "cpu") {
        "cpu" => run(&Cpu::new(), &given),
        "webgpu" => run(&block_on(Gpu::new(None))?, &given),
        other => Err(format!("expected cpu or webgpu, found {other}").into()),
    }
}

fn text<'a>(given: &'a Map<String, Value>, name: &str, default: &'a str) -> &'a str {
    given.get(name).and_then(Value::as_str).unwrap_or(default)
}

fn number(given: &Map<String, Value>, name: &str) -> Option<f64> {
    given.get(name).and_then(Value::as_f64)
}

/// The id and the settings of a choice such as `{ "id": "sgd", "learningRate": 0.1 }`.
fn choice(given: &Value, default: &str) -> (String, Map<String, Value>) {
    let mut settings = given.as_object().cloned().unwrap_or_default();
    let id = settings.remove("id");
    let id = id.as_ref().and_then(Value::as_str).unwrap_or(default);
    (id.to_owned(), settings)
}

fn plan(given: &Map<String, Value>, steps: u32) -> Result<Plan, Box<dyn Error>> {
    let batch = number(given, "batch").map_or(64, |batch| batch as usize);
    let (id, settings) = choice(given.get("optimizer").unwrap_or(&Value::Null), "sgd");
    let mut plan = Plan::new(&id, &settings, batch)?;
    if let Some(schedule) = given.get("schedule") {
        let (id, settings) = choice(schedule, "constant");
        plan.schedule = Pick::schedule(&id, &settings)?;
    }
    if let Some(loss) = given.get("loss") {
        let (id, settings) = choice(loss, "cross-entropy");
        plan.loss = Pick::loss(&id, &settings)?;
    }
    for augmentation in given
        .get("augmentations")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let (id, settings) = choice(augmentation, "");
        plan.augmentations.push(Pick::augmentation(&id, &settings)?);
    }
    plan.until = Some(steps);
    Ok(plan)
}

fn run<B: Backend>(backend: &B, given: &Map<String, Value>) -> Result<(), Box<dyn Error>> {
    let folder = text(given, "folder", "../shared/data");
    let dataset = common::dataset(text(given, "data", "mnist"), Path::new(folder))?;
    let options = given
        .get("options")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let network = text(given, "network", "lenet5");
    let spec = match given.get("spec") {
        Some(spec) => NetworkSpec::from_json(&spec.to_string())?,
        None => zoo::spec(network, &options, dataset.shape, dataset.classes.len())?,
    };
    let network = Network::new(&spec)?;
    let seed = number(given, "seed").map_or(1, |seed| seed as u64);
    let batch = number(given, "batch").map_or(64, |batch| batch as usize);
    let limits = ["trainImages", "images"]
        .map(|name| number(given, name).map_or(usize::MAX, |images| images as usize));
    say(&format!(
        "{} on {}: {} parameters, {} multiply-adds, {}",
        spec.name,
        dataset.name,
        network.params(),
        network.macs(),
        backend.adapter().name
    ))?;
    let data = Rc::new(Loaded::new(backend, common::shortened(dataset, limits)?)?);
    let mut session = Session::new(backend, data, network, seed)?;
    let per_epoch = session.steps_per_epoch(batch);
    let epochs = number(given, "epochs").unwrap_or(1.0);
    let steps = number(given, "steps").unwrap_or(epochs * f64::from(per_epoch)) as u32;
    let every = number(given, "every").map_or(per_epoch, |every| every as u32);
    let until = number(given, "until").unwrap_or(2.0);
    block_on(session.prepare(&plan(given, steps)?))?;
    let start = Instant::now();
    let mut losses: Vec<f32> = Vec::new();
    while session.step() < steps {
        let next = (steps - session.step())
            .min(every - session.step() % every)
            .min(64);
        losses.extend(
            block_on(session.advance(next))?
                .iter()
                .map(|step| step.loss),
        );
        if session.step() % every != 0 && session.step() < steps {
            continue;
        }
        losses.extend(block_on(session.drain())?.iter().map(|step| step.loss));
        let mut evaluation = block_on(session.evaluation("test"))?;
        while !block_on(evaluation.advance(16))? {}
        let report = block_on(evaluation.report())?;
        say(&format!(
            "step {:6}  epoch {:6.2}  loss {:.4}  test {:.2} %  {:.0} s",
            session.step(),
            f64::from(session.step()) / f64::from(per_epoch),
            losses.iter().sum::<f32>() / losses.len().max(1) as f32,
            100.0 * report.accuracy,
            start.elapsed().as_secs_f32()
        ))?;
        losses.clear();
        if f64::from(report.accuracy) >= until {
            break;
        }
    }
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
