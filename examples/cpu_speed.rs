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

#[path = "../benches/common/mod.rs"]
mod common;

use convscope::backend::cpu::Cpu;
use convscope::train::Session;

use common::{Outcome, RUNS, now, session};

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
    /// Prepares a run.
    fn new(name: &'static str, dataset: &str, batch: usize) -> Outcome<Self> {
        let session = session(name, dataset, batch)?;
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
