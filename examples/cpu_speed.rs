//! How many images per second the CPU backend trains, natively and in WebAssembly by the same code:
//!
//! ```text
//! cargo run --release --example cpu_speed -- [NETWORK] [ROUNDS]
//! cargo build --release --example cpu_speed --target wasm32-unknown-unknown
//! wasm-bindgen --target nodejs --out-dir target/speed target/wasm32-unknown-unknown/release/examples/cpu_speed.wasm
//! node target/speed/cpu_speed.js [NETWORK] [ROUNDS]
//! ```
//!
//! Networks take turns within a round, so that a noisy moment of the machine hits all of them; each
//! prints the median of its rounds and the best.

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use convscope::backend::cpu::Cpu;
use convscope::data;
use convscope::field::Values;
use convscope::nn::{Network, NetworkSpec};
use convscope::train::{Loaded, Plan, Session, find_optimizer};
use convscope::zoo;
use serde_json::{Map, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Network, dataset and batch size of each measurement.
const RUNS: [(&str, &str, usize); 4] = [
    ("lenet5", "pen-digits", 64),
    ("vgg", "shapes", 32),
    ("mini-vgg", "shapes", 32),
    ("resnet20", "shapes", 32),
];

/// How long a network trains in each round.
const ROUND_SECONDS: f64 = 1.0;

/// One network in training.
struct Run {
    name: &'static str,
    batch: usize,
    session: Session<Cpu>,
    speeds: Vec<f64>,
}

fn main() -> Outcome<()> {
    let arguments = platform::arguments();
    let only = arguments.first().map_or("all", String::as_str);
    let rounds: usize = arguments.get(1).map_or(Ok(5), |rounds| rounds.parse())?;
    let chosen = RUNS.iter().filter(|run| only == "all" || only == run.0);
    let mut runs = chosen
        .map(|&(name, dataset, batch)| Run::new(name, dataset, batch))
        .collect::<Outcome<Vec<_>>>()?;
    for _ in 0..rounds {
        runs.iter_mut().try_for_each(Run::measure)?;
    }
    for run in &mut runs {
        run.speeds.sort_by(f64::total_cmp);
        let (median, best) = (run.speeds[rounds / 2], run.speeds[rounds - 1]);
        platform::say(&format!(
            "{:10} batch {:2}: median {median:8.1} images/s, best {best:8.1}",
            run.name, run.batch
        ));
    }
    Ok(())
}

impl Run {
    /// Prepares training and runs it warm.
    fn new(name: &'static str, dataset: &str, batch: usize) -> Outcome<Self> {
        let options = json!({ "train": 1000, "test": 100 });
        let options = options.as_object().cloned().unwrap_or_default();
        let dataset = data::generate(dataset, &options)?;
        let spec = match name {
            "vgg" => vgg()?,
            zoo => zoo::spec(zoo, &Map::new(), dataset.shape, dataset.classes.len())?,
        };
        let backend = Cpu::new();
        let data = Rc::new(Loaded::new(&backend, dataset)?);
        let mut session = Session::new(&backend, data, Network::new(&spec)?, 1)?;
        let sgd = find_optimizer("sgd")?;
        let settings = json!({ "learningRate": 0.01, "momentum": 0.9 });
        let settings = settings.as_object().cloned().unwrap_or_default();
        now(session.prepare(&Plan {
            optimizer: "sgd".into(),
            settings: Values::check("sgd", &(sgd.fields)(), &settings)?,
            batch,
        }))?;
        now(session.advance(3))?;
        Ok(Self {
            name,
            batch,
            session,
            speeds: Vec::new(),
        })
    }

    /// Trains for a round.
    fn measure(&mut self) -> Outcome<()> {
        let start = platform::seconds();
        let mut steps = 0;
        let mut passed = 0.0;
        while passed < ROUND_SECONDS {
            now(self.session.advance(1))?;
            steps += 1;
            passed = platform::seconds() - start;
        }
        self.speeds.push((steps * self.batch) as f64 / passed);
        Ok(())
    }
}

/// The plain VGG that the peers are measured with: 3x3 convolutions of 32, 32, 64, 64, 128 and 128
/// maps, halved after each pair, and a dense layer of 128.
fn vgg() -> Outcome<NetworkSpec> {
    let mut nodes = Vec::new();
    for channels in [32, 64, 128] {
        for _ in 0..2 {
            nodes.push(json!({ "kind": "conv2d", "out_channels": channels, "padding": "same" }));
            nodes.push(json!({ "kind": "relu" }));
        }
        nodes.push(json!({ "kind": "max_pool2d" }));
    }
    nodes.push(json!({ "kind": "flatten" }));
    nodes.push(json!({ "kind": "dense", "units": 128 }));
    nodes.push(json!({ "kind": "relu" }));
    nodes.push(json!({ "kind": "dense", "units": 10 }));
    let spec = json!({ "name": "VGG", "input": [3, 32, 32], "classes": 10, "nodes": nodes });
    Ok(serde_json::from_value(spec)?)
}

/// The value of a future of the CPU backend, which is always ready.
fn now<T, E: Error + 'static>(future: impl Future<Output = Result<T, E>>) -> Outcome<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value?),
        Poll::Pending => Err("the CPU backend made somebody wait".into()),
    }
}

/// Clock, arguments and output natively.
#[cfg(not(target_arch = "wasm32"))]
mod platform {
    use std::io::Write as _;
    use std::sync::OnceLock;
    use std::time::Instant;

    pub(crate) fn seconds() -> f64 {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_secs_f64()
    }

    pub(crate) fn arguments() -> Vec<String> {
        std::env::args().skip(1).collect()
    }

    pub(crate) fn say(line: &str) {
        // A closed pipe leaves nobody to tell.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

/// The same in node, through its globals.
#[cfg(target_arch = "wasm32")]
mod platform {
    use js_sys::{Array, Function, Reflect, global};
    use wasm_bindgen::{JsCast as _, JsValue};

    /// The value under a path of names from the global object.
    fn find(path: &[&str]) -> JsValue {
        path.iter().fold(global().into(), |value, name| {
            Reflect::get(&value, &(*name).into()).unwrap_or(JsValue::UNDEFINED)
        })
    }

    /// Calls the function at `path`.
    fn call(path: &[&str], arguments: &Array) -> JsValue {
        let owner = find(&path[..path.len() - 1]);
        let function = find(path).dyn_into::<Function>();
        let outcome = function.and_then(|function| Reflect::apply(&function, &owner, arguments));
        outcome.unwrap_or(JsValue::UNDEFINED)
    }

    pub(crate) fn seconds() -> f64 {
        let milliseconds = call(&["performance", "now"], &Array::new());
        milliseconds.as_f64().unwrap_or(f64::NAN) / 1e3
    }

    pub(crate) fn arguments() -> Vec<String> {
        let all = Array::from(&find(&["process", "argv"]));
        all.iter()
            .skip(2)
            .filter_map(|word| word.as_string())
            .collect()
    }

    pub(crate) fn say(line: &str) {
        call(&["console", "log"], &Array::of1(&line.into()));
    }
}
