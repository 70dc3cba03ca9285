//! Every loss against PyTorch's, with its gradient; against central differences; and that a network
//! learns by it on every backend. `tests/golden/losses.py` wrote the file in float64.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;
#[path = "golden/hashed.rs"]
mod hashed;
#[path = "common/training.rs"]
mod training;

use convscope::autodiff::gradient;
use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::compile::compile;
use convscope::graph::{BackwardRule, Graph};
use convscope::tensor::Spec;
use convscope::train::{LOSSES, Pick, Plan, find_loss};
use pollster::block_on;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use common::adapters;
use hashed::hashed;
use training::session;

#[derive(Deserialize)]
struct Golden {
    classes: usize,
    labels: Vec<u32>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    fields: Map<String, Value>,
    losses: Vec<f64>,
    gradient: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/losses.json")).unwrap()
}

fn scores(golden: &Golden) -> Vec<f32> {
    let numbers = hashed(1, golden.labels.len() * golden.classes);
    numbers.into_iter().map(|x| x * 3.0).collect()
}

/// The losses of `scores` and the gradient of their mean.
fn run<B: Backend>(backend: &B, row: &Row, golden: &Golden, scores: &[f32]) -> [Vec<f32>; 2] {
    let pick = Pick::loss(&row.id, &row.fields).unwrap();
    let n = golden.labels.len();
    let mut graph = Graph::new();
    let g = &mut graph;
    let x = g
        .external("scores", Spec::f32([n, golden.classes]))
        .unwrap();
    let labels = g.external("labels", Spec::u32([n])).unwrap();
    let losses = (find_loss(&row.id).unwrap().losses)(g, x, labels, &pick.values).unwrap();
    let seed = g.constant([n], &vec![1.0 / n as f32; n]).unwrap();
    let dx = gradient(g, losses, seed, &[x], BackwardRule::Gradient).unwrap()[0];
    let compiled = compile(&graph, &row.id, &[losses, dx]).unwrap();
    let upload = |words: &[u32]| {
        let buffer = backend.allocate("golden", words.len()).unwrap();
        backend.upload(&buffer, 0, words).unwrap();
        buffer
    };
    let buffers = [upload(bytemuck::cast_slice(scores)), upload(&golden.labels)];
    let find = |name: &str| match name {
        "scores" => Some(buffers[0].clone()),
        _ => Some(buffers[1].clone()),
    };
    let prepared = block_on(backend.prepare(&compiled.program, &find)).unwrap();
    backend.run(&prepared, 1).unwrap();
    [0, 1].map(|i| {
        let view = compiled.outputs[i];
        let buffer = backend.buffer(&prepared, view.buffer);
        let words = block_on(backend.read(&buffer, view.offset, view.words)).unwrap();
        words.into_iter().map(f32::from_bits).collect()
    })
}

fn compare<B: Backend>(backend: &B, complaints: &mut Vec<String>) {
    let golden = golden();
    for row in &golden.rows {
        let [losses, gradient] = run(backend, row, &golden, &scores(&golden));
        for (what, found, expected) in [
            ("loss", losses, &row.losses),
            ("gradient", gradient, &row.gradient),
        ] {
            assert_eq!(found.len(), expected.len(), "{} {what}", row.id);
            for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
                let error = (f64::from(found) - expected).abs();
                // Written so that NaN is a complaint.
                if error <= 3e-6 * (1.0 + expected.abs()) {
                    continue;
                }
                let (id, fields) = (&row.id, &row.fields);
                complaints.push(format!(
                    "{id} {fields:?} {what}[{i}]: {found} not {expected}"
                ));
            }
        }
    }
}

#[test]
fn every_loss_is_pytorchs() {
    let mut complaints = Vec::new();
    compare(&Cpu::new(), &mut complaints);
    for gpu in adapters() {
        compare(&gpu, &mut complaints);
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    for info in LOSSES {
        let rows = golden().rows;
        assert!(
            rows.iter().any(|row| row.id == info.id),
            "{}: no golden",
            info.id
        );
    }
}

#[test]
fn every_loss_s_gradient_is_what_central_differences_say() {
    const STEP: f32 = 1e-2;
    let (cpu, golden) = (Cpu::new(), golden());
    let start = scores(&golden);
    for row in &golden.rows {
        let mean = |scores: &[f32]| {
            let losses = run(&cpu, row, &golden, scores)
                .map(|x| x.into_iter().map(f64::from).sum::<f64>())[0];
            losses / golden.labels.len() as f64
        };
        let [_, found] = run(&cpu, row, &golden, &start);
        for i in 0..start.len() {
            let (mut above, mut below) = (start.clone(), start.clone());
            (above[i], below[i]) = (start[i] + STEP, start[i] - STEP);
            let width = f64::from(above[i]) - f64::from(below[i]);
            let numerical = (mean(&above) - mean(&below)) / width;
            let gap = (numerical - f64::from(found[i])).abs();
            assert!(
                gap < 2e-4 + 1e-2 * numerical.abs(),
                "{} {:?} x[{i}]: numerical {numerical:.6} vs analytical {:.6}",
                row.id,
                row.fields,
                found[i]
            );
        }
    }
}

fn trained<B: Backend>(backend: &B, id: &str, steps: u32) -> Vec<f32> {
    let options = json!({ "learningRate": 0.002 });
    let plan = Plan {
        loss: Pick::loss(id, &Map::new()).unwrap(),
        ..Plan::new("adam", options.as_object().unwrap(), 20).unwrap()
    };
    let mut session = session(backend, "pen-digits", "lenet5", 1);
    block_on(session.prepare(&plan)).unwrap();
    let mut metrics = block_on(session.advance(steps)).unwrap();
    metrics.extend(block_on(session.drain()).unwrap());
    metrics.into_iter().map(|step| step.loss).collect()
}

#[test]
fn a_network_learns_by_every_loss() {
    for info in LOSSES {
        let losses = trained(&Cpu::new(), info.id, 80);
        let end = losses[75..].iter().sum::<f32>() / 5.0;
        assert!(
            end < 0.5 * losses[0],
            "{}: from {} to {end}",
            info.id,
            losses[0]
        );
    }
}

#[test]
fn the_gpu_follows_the_cpu_under_every_loss() {
    for gpu in adapters() {
        for info in LOSSES {
            let (on_cpu, on_gpu) = (trained(&Cpu::new(), info.id, 3), trained(&gpu, info.id, 3));
            for (a, b) in on_cpu.iter().zip(&on_gpu) {
                assert!(
                    (a - b).abs() < 1e-3 * a.abs(),
                    "{}: {on_cpu:?} and {on_gpu:?}",
                    info.id
                );
            }
        }
    }
}
