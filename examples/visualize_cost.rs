//! Times what the page asks for most, natively on one backend, as a row of Markdown for each: the nine images of all of
//! MNIST that excite each unit of LeNet-5 most, the images of all units of mini-VGG's widest layer, and every
//! attribution of one image.
//!
//! ```text
//! cargo run --release --example visualize_cost -- '{ "backend": "cpu" }'
//! VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json cargo run --release --example visualize_cost -- \
//!     '{ "backend": "webgpu", "steps": 8 }'
//! ```
//!
//! Fields and their defaults: `backend` "cpu", `steps` 512 (of gradient ascent), `folder` ("../shared/data"). The networks
//! are untrained: what they cost does not depend on their weights.

#[path = "common/mod.rs"]
#[expect(dead_code, reason = "datasets are taken whole")]
mod common;
#[path = "common/looking.rs"]
#[expect(dead_code, reason = "only times are shown")]
mod looking;

use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::backend::gpu::Gpu;
use convscope::data::{Dataset, generate};
use convscope::nn::Network;
use convscope::train::{Loaded, Session};
use convscope::zoo;
use pollster::block_on;
use serde_json::{Map, Value, json};

use common::Outcome;

/// Runs between two looks at the pictures, as the page takes them.
const SLICE: u32 = 8;

fn main() -> Outcome<()> {
    let given = std::env::args().nth(1).unwrap_or_else(|| "{}".into());
    let given: Map<String, Value> = serde_json::from_str(&given)?;
    let text = |name: &str, default: &'static str| {
        let found = given.get(name).and_then(Value::as_str);
        found.unwrap_or(default).to_owned()
    };
    let steps = given.get("steps").and_then(Value::as_u64).unwrap_or(512);
    let mnist = common::dataset("mnist", Path::new(&text("folder", "../shared/data")))?;
    match text("backend", "cpu").as_str() {
        "cpu" => measured(&Cpu::new(), mnist, steps),
        "webgpu" => measured(&block_on(Gpu::new(None))?, mnist, steps),
        other => Err(format!("expected cpu or webgpu, found {other}").into()),
    }
}

fn measured<B: Backend>(backend: &B, mnist: Dataset, steps: u64) -> Outcome<()> {
    say(&format!(
        "| {} | prepared in | done in |",
        backend.adapter().name
    ))?;
    say("|---|---|---|")?;
    let lenet = session(backend, "lenet5", mnist)?;
    let layers = lenet.network().layers.iter().enumerate().skip(1);
    let mut total = [0.0; 2];
    let mut units = 0;
    for (index, layer) in layers.filter(|(_, layer)| layer.params > 0) {
        units += layer.shape[0];
        let took = timed(&lenet, "top-patches", index, json!({ "split": "train" }))?;
        total = [total[0] + took[0], total[1] + took[1]];
    }
    row(
        &format!("LeNet-5, the top 9 of 60,000 images for each of {units} units, layer by layer"),
        total,
    )?;

    let shapes = generate("shapes", &Map::new())?;
    let vgg = session(backend, "mini-vgg", shapes)?;
    let layers = vgg.network().layers.iter().enumerate();
    let maps = layers.filter(|(_, layer)| layer.shape[1] > 1);
    let widest = maps.max_by_key(|(_, layer)| layer.shape[0]);
    let (index, layer) = widest.ok_or("a network without maps")?;
    let what = json!({ "wholeLayer": true, "steps": steps });
    let took = timed(&vgg, "activation-maximization", index, what)?;
    row(
        &format!(
            "mini-VGG, {steps} steps of the images of all {} units of {}",
            layer.shape[0], layer.id
        ),
        took,
    )?;

    for (name, session) in [("LeNet-5", &lenet), ("mini-VGG", &vgg)] {
        let took = timed(session, "attributions", 0, json!({}))?;
        row(&format!("{name}, every attribution of one image"), took)?;
    }
    Ok(())
}

fn session<B: Backend>(backend: &B, network: &str, dataset: Dataset) -> Outcome<Session<B>> {
    let spec = zoo::spec(network, &Map::new(), dataset.shape, dataset.classes.len())?;
    let data = Rc::new(Loaded::new(backend, dataset)?);
    Ok(Session::new(backend, data, Network::new(&spec)?, 1)?)
}

/// Seconds until `method` is prepared, and until it has shown its last picture.
fn timed<B: Backend>(
    session: &Session<B>,
    method: &str,
    layer: usize,
    fields: Value,
) -> Outcome<[f64; 2]> {
    let fields = fields.as_object().cloned().unwrap_or_default();
    let start = Instant::now();
    let job = looking::job(session, method, layer, &fields)?;
    let prepared = start.elapsed().as_secs_f64();
    looking::finished(session, job, SLICE)?;
    Ok([prepared, start.elapsed().as_secs_f64()])
}

fn row(what: &str, [prepared, done]: [f64; 2]) -> std::io::Result<()> {
    say(&format!("| {what} | {prepared:.2} s | {done:.2} s |"))
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
