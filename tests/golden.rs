//! convscope's networks against PyTorch's: forward, loss, every gradient, three steps of SGD and of
//! Adam, and the running statistics after them. `tests/golden/generate.py` and `families.py` wrote the
//! files, in float64; inputs and parameters are a formula that both sides compute exactly, so the bounds below
//! are the error of convscope's float32 arithmetic.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "golden/compare.rs"]
mod compare;
#[path = "golden/formula.rs"]
mod formula;
#[path = "golden/hashed.rs"]
mod hashed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use convscope::autodiff::gradient;
use convscope::backend::Backend;
use convscope::backend::cpu::{Cpu, CpuBuffer};
use convscope::compile::compile;
use convscope::graph::{BackwardRule, Graph, ValueId};
use convscope::nn::{Mode, Network};
use convscope::ops;
use convscope::program::View;
use convscope::tensor::{Spec, Tensor};
use convscope::zoo::{self, ARCHITECTURES};
use pollster::block_on;
use serde::Deserialize;
use serde_json::{Map, Value};

use compare::{Complaints, Summary};
use formula::initial;
use hashed::hashed;

/// Largest difference of a gradient's entries, relative to the root mean square of its tensor.
const GRADIENT: f64 = 1e-3;
/// Largest difference of what three steps changed in a tensor, relative to the root mean square of
/// the whole tensor: the optimizers accumulate the errors of three gradients.
const STEPS: f64 = 1e-3;

#[derive(Deserialize)]
struct Golden {
    network: String,
    options: Map<String, Value>,
    input: [usize; 4],
    vector: f32,
    eval_logits: Vec<f64>,
    logits: Vec<f64>,
    loss: f64,
    gradients: BTreeMap<String, Summary>,
    sgd: Option<Steps>,
    adam: Option<Steps>,
}

#[derive(Deserialize)]
struct Steps {
    losses: Vec<f64>,
    lr: f32,
    tensors: BTreeMap<String, Summary>,
}

/// A program on the CPU with its outside buffers.
struct Run {
    cpu: Cpu,
    externals: BTreeMap<String, CpuBuffer>,
}

impl Run {
    /// The buffers that every program here shares: images, labels, parameters and statistics as
    /// given, optimizer states and counters at zero.
    fn new(network: &Network, golden: &Golden) -> Self {
        let (parameters, statistics) = initial(network, golden.vector);
        let n = golden.input[0];
        let images = hashed(0, golden.input.iter().product());
        let images = Tensor::new(golden.input, images).unwrap();
        let images = images.permuted(&[0, 2, 3, 1]).unwrap().to_vec();
        let labels = (0..n as u32).map(|i| (7 * i + 3) % 10).collect();
        let bits = |floats: Vec<f32>| floats.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let zeros = vec![0; network.parameter_words()];
        let cpu = Cpu::new();
        let buffer = |words: Vec<u32>| {
            let buffer = cpu.allocate("golden", words.len()).unwrap();
            cpu.upload(&buffer, 0, &words).unwrap();
            buffer
        };
        let externals = [
            ("images", buffer(bits(images))),
            ("labels", buffer(labels)),
            ("parameters", buffer(bits(parameters))),
            ("statistics", buffer(bits(statistics))),
            ("first", buffer(zeros.clone())),
            ("second", buffer(zeros)),
            ("counters", buffer(vec![0; 4])),
        ];
        let named = |(name, buffer): (&str, CpuBuffer)| (name.to_owned(), buffer);
        let externals = externals.into_iter().map(named).collect();
        Self { cpu, externals }
    }

    /// Runs `graph` `times` times and returns `outputs` after each run.
    fn outputs(&self, graph: &Graph, outputs: &[ValueId], times: usize) -> Vec<Vec<Vec<f32>>> {
        let compiled = compile(graph, "golden", outputs).unwrap();
        let find = |name: &str| self.externals.get(name).cloned();
        let prepared = block_on(self.cpu.prepare(&compiled.program, &find)).unwrap();
        let once = |_| {
            self.cpu.run(&prepared, 1).unwrap();
            let read = |view: &View| {
                let buffer = self.cpu.buffer(&prepared, view.buffer);
                self.floats(&buffer, view.offset, view.words)
            };
            compiled.outputs.iter().map(read).collect()
        };
        (0..times).map(once).collect()
    }

    fn floats(&self, buffer: &CpuBuffer, offset: usize, words: usize) -> Vec<f32> {
        let words = block_on(self.cpu.read(buffer, offset, words)).unwrap();
        words.into_iter().map(f32::from_bits).collect()
    }

    /// Parameters and statistics as they are now, in PyTorch's layout.
    fn tensors(&self, network: &Network) -> Vec<(String, Tensor)> {
        let all = |name: &str, words| self.floats(&self.externals[name], 0, words);
        let parameters = all("parameters", network.parameter_words());
        let statistics = all("statistics", network.statistic_words());
        network.export(&parameters, &statistics).unwrap()
    }
}

/// Forward and backward in one graph: logits, loss, and gradients packed as the parameters are.
fn graph(network: &Network, n: usize, mode: Mode) -> (Graph, [ValueId; 3]) {
    let [c, h, w] = network.spec.input;
    let mut g = Graph::new();
    let x = g.external("images", Spec::f32([n, h, w, c])).unwrap();
    let labels = g.external("labels", Spec::u32([n])).unwrap();
    let built = network.build(&mut g, x, mode).unwrap();
    let losses = ops::cross_entropy(&mut g, built.logits, labels).unwrap();
    let loss = ops::mean(&mut g, losses).unwrap();
    let one = g.constant([1], &[1.0]).unwrap();
    let rule = BackwardRule::Gradient;
    let gradients = gradient(&mut g, loss, one, &built.parameters, rule).unwrap();
    let gradients = ops::pack(&mut g, &gradients).unwrap();
    (g, [built.logits, loss, gradients])
}

/// Compares with one file and returns the network's id.
fn check(path: &Path) -> String {
    let name = path.file_stem().unwrap().to_string_lossy();
    let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let [n, c, h, w] = golden.input;
    let spec = zoo::spec(&golden.network, &golden.options, [c, h, w], 10).unwrap();
    let network = Network::new(&spec).unwrap();
    let mut complaints = Complaints::default();

    let (g, [logits, ..]) = graph(&network, n, Mode::Eval);
    let run = Run::new(&network, &golden);
    let found = run.outputs(&g, &[logits], 1).remove(0);
    complaints.each("eval logits", &found[0], &golden.eval_logits);

    let (g, outputs) = graph(&network, n, Mode::Train);
    let found = run.outputs(&g, &outputs, 1).remove(0);
    complaints.each("logits", &found[0], &golden.logits);
    complaints.each("loss", &found[1], &[golden.loss]);
    let statistics = vec![0.0; network.statistic_words()];
    let mut gradients = network.export(&found[2], &statistics).unwrap();
    gradients.truncate(network.parameters.len());
    complaints.tensors("gradient", &gradients, &golden.gradients, GRADIENT);

    let optimizers = [("sgd", &golden.sgd), ("adam", &golden.adam)];
    for (optimizer, steps) in optimizers {
        let Some(steps) = steps else { continue };
        let run = Run::new(&network, &golden);
        let (mut g, [_, loss, gradients]) = graph(&network, n, Mode::Train);
        update(&mut g, &network, optimizer, steps.lr, gradients);
        let losses = run
            .outputs(&g, &[loss], steps.losses.len())
            .concat()
            .concat();
        complaints.each(&format!("{optimizer} loss"), &losses, &steps.losses);
        let found = run.tensors(&network);
        if optimizer == "adam" {
            let reach = 2.0 * f64::from(steps.lr) * steps.losses.len() as f64;
            let bounds = (STEPS, reach);
            complaints.adam(&found, &steps.tensors, &golden.gradients, bounds);
        } else {
            complaints.tensors(optimizer, &found, &steps.tensors, STEPS);
        }
    }
    let Complaints(lines) = complaints;
    let shown = lines
        .iter()
        .take(40)
        .map(String::as_str)
        .collect::<Vec<_>>();
    assert!(
        lines.is_empty(),
        "{name}: {} of\n{}",
        lines.len(),
        shown.join("\n")
    );
    golden.network
}

/// Adds one step of the optimizer to `g`.
fn update(g: &mut Graph, network: &Network, optimizer: &str, lr: f32, gradients: ValueId) {
    let flat = Spec::f32([network.parameter_words()]);
    let parameters = g.external("parameters", flat.clone()).unwrap();
    let first = g.external("first", flat.clone()).unwrap();
    let counters = g.external("counters", Spec::u32([4])).unwrap();
    let hyper = [lr, 0.9, 5e-4, 0.9, 0.999, 1e-8, 0.0, 0.0];
    let hyper = g.constant([8], &hyper).unwrap();
    if optimizer == "sgd" {
        ops::sgd(g, parameters, gradients, first, hyper).unwrap();
    } else {
        let second = g.external("second", flat).unwrap();
        ops::adam(g, parameters, gradients, first, second, hyper, counters).unwrap();
    }
    ops::advance(g, counters).unwrap();
}

#[test]
fn every_family_is_pytorchs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/networks");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let checked: BTreeSet<String> = files.map(|path| check(&path)).collect();
    for entry in ARCHITECTURES.iter().filter(|entry| !entry.full) {
        let id = entry.id;
        assert!(checked.contains(id), "{id} has no golden file");
    }
}
