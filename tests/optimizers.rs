//! Every optimizer against an independent one: PyTorch's, or (LARS) its paper's formula.
//! `tests/golden/optimizers.py` wrote the file in float64.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "golden/hashed.rs"]
mod hashed;

use std::collections::BTreeMap;

use convscope::backend::Backend;
use convscope::backend::cpu::{Cpu, CpuBuffer};
use convscope::compile::compile;
use convscope::field::Values;
use convscope::graph::{Graph, flat_layout};
use convscope::ops;
use convscope::tensor::{Shape, Spec};
use convscope::train::{N_SETTINGS, OPTIMIZERS, Update, find_optimizer};
use pollster::block_on;
use serde::Deserialize;
use serde_json::{Map, Value};

use hashed::hashed;

#[derive(Deserialize)]
struct Golden {
    sizes: Vec<usize>,
    steps: u64,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    fields: Map<String, Value>,
    parameters: Vec<Vec<f64>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/optimizers.json")).unwrap()
}

/// Tensors side by side in a flat buffer.
fn flat(tensors: &[Vec<f32>], offsets: &[usize], words: usize) -> Vec<u32> {
    let mut flat = vec![0; words];
    for (tensor, &offset) in tensors.iter().zip(offsets) {
        flat[offset..offset + tensor.len()].copy_from_slice(bytemuck::cast_slice(tensor));
    }
    flat
}

/// The parameters after the golden's steps.
fn run(row: &Row, golden: &Golden) -> Vec<Vec<f32>> {
    let optimizer = find_optimizer(&row.id).unwrap();
    let values = Values::check(&row.id, &(optimizer.fields)(), &row.fields).unwrap();
    let shapes: Vec<Shape> = golden.sizes.iter().map(|&n| Shape::from([n])).collect();
    let (offsets, words) = flat_layout(&shapes);
    let sizes = golden.sizes.iter().copied();
    let tensors: Vec<_> = offsets.iter().copied().zip(sizes).collect();

    let mut graph = Graph::new();
    let g = &mut graph;
    let state = Spec::f32([words]);
    let slots: Vec<_> = (0..optimizer.slots)
        .map(|slot| g.external(&format!("slot {slot}"), state.clone()).unwrap())
        .collect();
    let counters = g.external("counters", Spec::u32([4])).unwrap();
    let update = Update {
        parameters: g.external("parameters", state.clone()).unwrap(),
        gradients: g.external("gradients", state).unwrap(),
        slots: &slots,
        settings: g.external("settings", Spec::f32([N_SETTINGS])).unwrap(),
        counters,
        tensors: &tensors,
    };
    (optimizer.update)(g, &update).unwrap();
    ops::advance(g, counters).unwrap();
    let program = compile(&graph, &row.id, &[]).unwrap().program;

    let cpu = Cpu::new();
    let mut names = vec!["parameters".to_owned(), "gradients".to_owned()];
    names.extend((0..optimizer.slots).map(|slot| format!("slot {slot}")));
    let allocate = |name: &str, words| cpu.allocate(name, words).unwrap();
    let mut buffers: BTreeMap<String, CpuBuffer> = names
        .into_iter()
        .map(|name| (name.clone(), allocate(&name, words)))
        .collect();
    buffers.insert("counters".into(), allocate("counters", 4));
    buffers.insert("settings".into(), allocate("settings", N_SETTINGS));
    let settings = (optimizer.settings)(&values).unwrap();
    let settings: &[u32] = bytemuck::cast_slice(&settings);
    cpu.upload(&buffers["settings"], 0, settings).unwrap();
    let numbers = |first: u64, scales: [f32; 2]| -> Vec<Vec<f32>> {
        let streams = (first..).zip(&golden.sizes).zip(scales);
        let scaled = |((stream, &n), scale)| hashed(stream, n).iter().map(|x| x * scale).collect();
        streams.map(scaled).collect()
    };
    let start = flat(&numbers(1, [1.0, 1.0]), &offsets, words);
    cpu.upload(&buffers["parameters"], 0, &start).unwrap();
    let prepared = block_on(cpu.prepare(&program, &|name| buffers.get(name).cloned())).unwrap();
    for step in 0..golden.steps {
        let gradients = flat(&numbers(10 + 2 * step, [1.0, 0.125]), &offsets, words);
        cpu.upload(&buffers["gradients"], 0, &gradients).unwrap();
        cpu.run(&prepared, 1).unwrap();
    }
    let found = block_on(cpu.read(&buffers["parameters"], 0, words)).unwrap();
    let tensor = |&(first, n): &(usize, usize)| {
        let words = found[first..first + n].iter();
        words.map(|&word| f32::from_bits(word)).collect()
    };
    tensors.iter().map(tensor).collect()
}

/// Largest difference after five steps, relative to 1 + |value|: float32's rounding, which the
/// optimizers that divide by small roots magnify.
const TOLERANCE: f64 = 3e-6;

#[test]
fn every_optimizer_goes_where_an_independent_one_goes() {
    let golden = golden();
    let mut complaints = Vec::new();
    for row in &golden.rows {
        let found = run(row, &golden);
        for (tensor, (found, expected)) in found.iter().zip(&row.parameters).enumerate() {
            assert_eq!(found.len(), expected.len(), "{}", row.id);
            for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
                let error = (f64::from(found) - expected).abs();
                // Written so that NaN is a complaint.
                if error <= TOLERANCE * (1.0 + expected.abs()) {
                    continue;
                }
                complaints.push(format!(
                    "{} {:?} tensor {tensor}[{i}]: {found} not {expected} (|Δ| {error:.1e})",
                    row.id, row.fields
                ));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_optimizer_has_an_independent_one() {
    let rows = golden().rows;
    for info in OPTIMIZERS {
        let id = info.id;
        assert!(rows.iter().any(|row| row.id == id), "{id}: no golden");
    }
}
