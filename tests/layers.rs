//! Layers one at a time: forward and every gradient against PyTorch's (`tests/golden/layers.py` wrote them, in
//! float64), the equivariance of group convolutions, and what dropout leaves when the network answers.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;
#[path = "golden/hashed.rs"]
mod hashed;

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use convscope::autodiff::gradient;
use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::compile::compile;
use convscope::data;
use convscope::graph::{BackwardRule, Graph, ValueId};
use convscope::nn::{Mode, Network, NetworkSpec};
use convscope::tensor::{Spec, Tensor};
use convscope::train::{Loaded, Plan, Session};
use pollster::block_on;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use common::adapters;
use hashed::hashed;

/// Largest difference, relative to 1 + |value|.
const BOUND: f64 = 3e-5;

#[derive(Deserialize)]
struct Row {
    name: String,
    nodes: Vec<Value>,
    input: [usize; 4],
    parameters: Vec<(String, Vec<usize>)>,
    output: Vec<f64>,
    gradients: Vec<Vec<f64>>,
}

fn network(nodes: &[Value], input: [usize; 4], outputs: usize) -> Network {
    let [n, c, h, w] = input;
    let classes = outputs / n;
    let spec = json!({ "name": "t", "input": [c, h, w], "classes": classes, "nodes": nodes });
    Network::new(&NetworkSpec::from_json(&spec.to_string()).unwrap()).unwrap()
}

/// Parameters of the network as the generator has them.
fn parameters(network: &Network) -> (Vec<f32>, Vec<f32>) {
    let (mut parameters, mut statistics) = network.initial(0);
    let mut named = network.export(&parameters, &statistics).unwrap();
    named.truncate(network.parameters.len());
    for (index, (_, tensor)) in named.iter_mut().enumerate() {
        let noise = hashed(index as u64 + 1, tensor.shape().elements());
        *tensor = Tensor::from_fn(tensor.shape(), |i| 0.5 * noise[i]);
    }
    network
        .import(&named, &mut parameters, &mut statistics)
        .unwrap();
    (parameters, statistics)
}

/// Runs `outputs` of `graph` on the CPU with these outside buffers.
fn run(graph: &Graph, outputs: &[ValueId], feeds: &[(&str, Vec<u32>)]) -> Vec<Vec<f32>> {
    let cpu = Cpu::new();
    let compiled = compile(graph, "layers", outputs).unwrap();
    let buffers: BTreeMap<_, _> = feeds
        .iter()
        .map(|(name, words)| {
            let buffer = cpu.allocate(name, words.len()).unwrap();
            cpu.upload(&buffer, 0, words).unwrap();
            (*name, buffer)
        })
        .collect();
    let find = |name: &str| buffers.get(name).cloned();
    let prepared = block_on(cpu.prepare(&compiled.program, &find)).unwrap();
    cpu.run(&prepared, 1).unwrap();
    let read = |view: &convscope::program::View| {
        let buffer = cpu.buffer(&prepared, view.buffer);
        let words = block_on(cpu.read(&buffer, view.offset, view.words)).unwrap();
        words.into_iter().map(f32::from_bits).collect()
    };
    compiled.outputs.iter().map(read).collect()
}

fn bits(floats: Vec<f32>) -> Vec<u32> {
    floats.into_iter().map(f32::to_bits).collect()
}

/// The image of these extents `[n, c, h, w]`, in the layout inside.
fn image(input: [usize; 4], values: Vec<f32>) -> Vec<u32> {
    let image = Tensor::new(input, values).unwrap();
    bits(image.permuted(&[0, 2, 3, 1]).unwrap().to_vec())
}

#[test]
fn layers_and_their_gradients_are_pytorchs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/layers.json");
    let rows: Vec<Row> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut complaints = Vec::new();
    for row in &rows {
        check(row, &mut complaints);
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn check(row: &Row, complaints: &mut Vec<String>) {
    let network = network(&row.nodes, row.input, row.output.len());
    let (parameters, statistics) = parameters(&network);
    let mut declared = network.export(&parameters, &statistics).unwrap();
    declared.truncate(network.parameters.len());
    let declared: Vec<_> = declared
        .into_iter()
        .map(|(name, tensor)| (name, tensor.shape().dims().to_vec()))
        .collect();
    assert_eq!(declared, row.parameters, "{}", row.name);

    let [n, c, h, w] = row.input;
    let mut g = Graph::new();
    let x = g.external("x", Spec::f32([n, h, w, c])).unwrap();
    let built = network.build(&mut g, x, Mode::Train).unwrap();
    let shape = g.shape(built.logits).clone();
    let seed = g.constant(shape, &hashed(1000, row.output.len())).unwrap();
    let wrt: Vec<_> = [x].into_iter().chain(built.parameters.clone()).collect();
    let gradients = gradient(&mut g, built.logits, seed, &wrt, BackwardRule::Gradient).unwrap();
    let outputs: Vec<_> = [built.logits].into_iter().chain(gradients).collect();
    let values = hashed(0, n * c * h * w).iter().map(|v| 2.0 * v).collect();
    let feeds = [
        ("x", image(row.input, values)),
        ("parameters", bits(parameters)),
        ("statistics", bits(statistics.clone())),
        ("counters", vec![0; 4]),
    ];
    let mut found = run(&g, &outputs, &feeds);
    let dx = Tensor::new([n, h, w, c], found[1].clone()).unwrap();
    found[1] = dx.permuted(&[0, 3, 1, 2]).unwrap().to_vec();
    // The gradients in the layout outside, by way of a parameter buffer that holds them.
    let mut flat = vec![0.0; network.parameter_words()];
    for (one, gradient) in network.parameters.iter().zip(&found[2..]) {
        flat[one.offset..one.offset + gradient.len()].copy_from_slice(gradient);
    }
    let outside = network.export(&flat, &statistics).unwrap();
    for (found, (_, tensor)) in found[2..].iter_mut().zip(outside) {
        *found = tensor.to_vec();
    }
    let names = ["output", "d input"].into_iter().map(str::to_owned);
    let names = names.chain(row.parameters.iter().map(|(name, _)| format!("d {name}")));
    let expected = [&row.output].into_iter().chain(&row.gradients);
    for ((name, found), expected) in names.zip(&found).zip(expected) {
        assert_eq!(found.len(), expected.len(), "{}: {name}", row.name);
        for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
            let error = (f64::from(found) - expected).abs();
            // Written so that NaN is a complaint.
            if !matches!(
                error.partial_cmp(&(BOUND * (1.0 + expected.abs()))),
                Some(std::cmp::Ordering::Less)
            ) {
                let line = format!("{}: {name}[{i}] {found} not {expected}", row.name);
                complaints.push(line);
            }
        }
    }
}

/// `image` `[c, side, side]` turned by a quarter counterclockwise, or mirrored.
fn moved(image: &[f32], side: usize, mirrored: bool) -> Vec<f32> {
    let at = |i: usize| {
        let (map, y, x) = (i / (side * side), i / side % side, i % side);
        let (y, x) = match mirrored {
            true => (y, side - 1 - x),
            false => (x, side - 1 - y),
        };
        image[(map * side + y) * side + x]
    };
    (0..image.len()).map(at).collect()
}

#[test]
fn a_turned_image_turns_the_maps_of_a_group_and_permutes_its_elements() {
    const SIDE: usize = 8;
    const MAPS: usize = 3;
    for (group, order) in [("p4", 4), ("p4m", 8)] {
        // Every kind of layer that such networks have, pooling and batch norm included.
        let nodes = json!([
            { "kind": "p4_lifting_conv2d", "out_channels": 2, "group": group, "padding": "same" },
            { "kind": "batch_norm2d", "shared": order },
            { "kind": "relu" },
            { "kind": "max_pool2d" },
            { "kind": "p4_conv2d", "out_channels": MAPS, "group": group, "padding": "same" },
            { "id": "flat", "kind": "flatten" },
        ]);
        let side = SIDE / 2;
        let outputs = order * MAPS * side * side;
        let input = [1, 2, SIDE, SIDE];
        let network = network(nodes.as_array().unwrap(), input, outputs);
        let (parameters, statistics) = parameters(&network);
        let mut g = Graph::new();
        let x = g.external("x", Spec::f32([1, SIDE, SIDE, 2])).unwrap();
        let built = network.build(&mut g, x, Mode::Train).unwrap();
        let maps = |values: &[f32]| {
            let feeds = [
                ("x", image(input, values.to_vec())),
                ("parameters", bits(parameters.clone())),
                ("statistics", bits(statistics.clone())),
            ];
            run(&g, &[built.logits], &feeds).remove(0)
        };
        let plain = hashed(0, 2 * SIDE * SIDE);
        let before = maps(&plain);
        for mirrored in [false, true] {
            if mirrored && order == 4 {
                continue;
            }
            let after = maps(&moved(&plain, SIDE, mirrored));
            let turned = moved(&before, side, mirrored);
            for element in 0..order {
                // What comes to be element m, r: under a turn the one a quarter before, under a
                // reflection the one that turns the other way.
                let (m, r) = (element / 4, element % 4);
                let from = match mirrored {
                    false => m * 4 + (r + 3) % 4,
                    true => (1 - m) * 4 + (4 - r) % 4,
                };
                let words = MAPS * side * side;
                let found = &after[element * words..][..words];
                for (i, (a, b)) in found
                    .iter()
                    .zip(&turned[from * words..][..words])
                    .enumerate()
                {
                    let error = (a - b).abs();
                    assert!(
                        error < 1e-5,
                        "{group} mirrored {mirrored} element {element}[{i}]: {a} {b}"
                    );
                }
            }
        }
    }
}

#[test]
fn dropouts_drop_what_they_say_while_learning_and_nothing_when_answering() {
    let input = [16, 8, 4, 4];
    let count: usize = input.iter().product();
    for (kind, block) in [
        ("dropout", 1),
        ("spatial_dropout", 16),
        ("stochastic_depth", 128),
    ] {
        let nodes = json!([{ "kind": kind, "rate": 0.5 }, { "kind": "flatten" }]);
        let network = network(nodes.as_array().unwrap(), input, count);
        let result = |mode: Mode, step: u32| {
            let mut g = Graph::new();
            let x = g.external("x", Spec::f32([16, 4, 4, 8])).unwrap();
            let built = network.build(&mut g, x, mode).unwrap();
            let ones = g.constant([16, 128], &vec![1.0; count]).unwrap();
            let rule = BackwardRule::Gradient;
            let dx = gradient(&mut g, built.logits, ones, &[x], rule).unwrap()[0];
            let feeds = [
                ("x", image(input, vec![1.0; count])),
                ("counters", vec![step, 3, 0, 0]),
            ];
            let mut found = run(&g, &[built.logits, dx], &feeds);
            let dx = Tensor::new([16, 4, 4, 8], found.remove(1)).unwrap();
            let dx = dx.permuted(&[0, 3, 1, 2]).unwrap().to_vec();
            (found.remove(0), dx)
        };
        assert_eq!(result(Mode::Eval, 0).0, vec![1.0; count], "{kind}");
        let (first, dx) = result(Mode::Train, 0);
        // The output for ones is the mask, and so is the gradient.
        assert_eq!(first, dx, "{kind}");
        assert!(first.iter().all(|&y| y == 0.0 || y == 2.0), "{kind}");
        for (at, block) in first.chunks(block).enumerate() {
            assert!(block.iter().all(|y| *y == block[0]), "{kind} block {at}");
        }
        let kept = first.iter().filter(|y| **y > 0.0).count();
        assert!(kept > 0 && kept < count, "{kind}: {kept} kept");
        assert_ne!(first, result(Mode::Train, 1).0, "{kind}");
        assert_eq!(first, result(Mode::Train, 0).0, "{kind}");
    }
}

/// Two networks that have between them what PyTorch's goldens show one at a time, and dropouts.
fn mixtures() -> [Value; 2] {
    let attention = json!([
        { "kind": "conv2d", "out_channels": 8, "stride": 2, "padding": "same" },
        { "kind": "group_norm" }, { "kind": "gelu" }, { "kind": "spatial_dropout" },
        { "kind": "max_pool2d", "size": 3, "stride": 2, "ceil": true },
        { "id": "tokens", "kind": "position_embedding" },
        { "kind": "layer_norm" }, { "kind": "multi_head_attention", "dropout": 0.1 },
        { "id": "branch", "kind": "stochastic_depth" },
        { "kind": "add", "inputs": ["branch", "tokens"] },
        { "kind": "seq_pool" }, { "kind": "dropout", "rate": 0.1 },
        { "kind": "dense", "units": 10 },
    ]);
    let turning = json!([
        { "kind": "p4_lifting_conv2d", "out_channels": 4, "stride": 2 },
        { "kind": "batch_norm2d", "shared": 4 }, { "kind": "prelu" },
        { "kind": "p4_conv2d", "out_channels": 4 }, { "kind": "group_pool" },
        { "kind": "local_response_norm" }, { "id": "maps", "kind": "separable_conv2d" },
        { "kind": "global_avg_pool2d" }, { "kind": "dense", "units": 16 },
        { "id": "gate", "kind": "sigmoid" },
        { "kind": "scale_channels", "inputs": ["maps", "gate"] },
        { "kind": "upsample2d", "mode": "bilinear" }, { "kind": "hard_swish" },
        { "kind": "locally_connected2d", "out_channels": 2, "stride": 2 },
        { "kind": "flatten" }, { "kind": "dense", "units": 10 },
    ]);
    [attention, turning]
}

/// Losses of `steps` steps of Adam on pen digits.
fn losses<B: Backend>(backend: &B, nodes: &Value, steps: u32) -> Vec<f32> {
    let options = json!({ "train": 200, "test": 100 });
    let dataset = data::generate("pen-digits", options.as_object().unwrap()).unwrap();
    let input = dataset.shape;
    let spec = json!({ "name": "t", "input": input, "classes": 10, "nodes": nodes });
    let network = Network::new(&NetworkSpec::from_json(&spec.to_string()).unwrap()).unwrap();
    let data = Rc::new(Loaded::new(backend, dataset).unwrap());
    let mut session = Session::new(backend, data, network, 1).unwrap();
    let plan = Plan::new("adam", &Map::new(), 10).unwrap();
    block_on(session.prepare(&plan)).unwrap();
    let mut metrics = block_on(session.advance(steps)).unwrap();
    metrics.extend(block_on(session.drain()).unwrap());
    metrics.into_iter().map(|step| step.loss).collect()
}

#[test]
fn networks_of_these_layers_learn_and_the_gpu_follows_the_cpu() {
    for nodes in mixtures() {
        let on_cpu = losses(&Cpu::new(), &nodes, 200);
        let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
        let (first, last) = (mean(&on_cpu[..10]), mean(&on_cpu[190..]));
        assert!(last < 0.7 * first, "{first} to {last}: {nodes}");
        for gpu in adapters() {
            for (step, (cpu, gpu)) in on_cpu.iter().zip(losses(&gpu, &nodes, 3)).enumerate() {
                let error = (cpu - gpu).abs() / cpu;
                assert!(error < 1e-3, "step {step}: {cpu} and {gpu}: {nodes}");
            }
        }
    }
}
