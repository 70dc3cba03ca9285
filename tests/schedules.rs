//! Every schedule against PyTorch's, step by step, on the CPU and on every adapter; and that training
//! follows one without a word from the host. `tests/golden/schedules.py` wrote the file.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;
#[path = "common/training.rs"]
mod training;

use std::collections::BTreeMap;

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::compile::compile;
use convscope::graph::Graph;
use convscope::ops;
use convscope::tensor::Spec;
use convscope::train::{Horizon, N_SETTINGS, Pacing, Pick, Plan, SCHEDULES, find_schedule};
use pollster::block_on;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use common::adapters;
use training::session;

#[derive(Deserialize)]
struct Golden {
    steps: u32,
    epoch: u32,
    rate: f32,
    losses: Vec<f32>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    fields: Map<String, Value>,
    rates: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/schedules.json")).unwrap()
}

/// The learning rate of every step on `backend`, from the optimizer's settings and from the ring.
fn rates<B: Backend>(backend: &B, row: &Row, golden: &Golden) -> Vec<[f32; 2]> {
    let schedule = find_schedule(&row.id).unwrap();
    let pick = Pick::schedule(&row.id, &row.fields).unwrap();
    let horizon = Horizon {
        until: Some(golden.steps),
        per_epoch: golden.epoch,
    };
    let numbers = (schedule.numbers)(&pick.values, &horizon).unwrap();
    let Some(follow) = schedule.follow else {
        return vec![[golden.rate; 2]; golden.steps as usize];
    };
    let rows = golden.steps as usize;
    let mut graph = Graph::new();
    let g = &mut graph;
    let eight = Spec::f32([N_SETTINGS]);
    let counters = g.external("counters", Spec::u32([4])).unwrap();
    let pacing = Pacing {
        current: g.external("current", eight.clone()).unwrap(),
        state: g.external("state", eight.clone()).unwrap(),
        settings: g.external("settings", eight.clone()).unwrap(),
        numbers: g.external("numbers", eight).unwrap(),
        ring: g.external("ring", Spec::f32([rows, 4])).unwrap(),
        losses: g.external("losses", Spec::f32([2])).unwrap(),
        counters,
    };
    follow(g, &pacing).unwrap();
    ops::advance(g, counters).unwrap();
    let program = compile(&graph, &row.id, &[]).unwrap().program;
    let mut settings = [0.5; N_SETTINGS];
    settings[0] = golden.rate;
    let buffers: BTreeMap<&str, B::Buffer> = [
        ("counters", vec![0.0; 4]),
        ("current", vec![0.0; N_SETTINGS]),
        ("state", vec![0.0; N_SETTINGS]),
        ("settings", settings.to_vec()),
        ("numbers", numbers.to_vec()),
        ("ring", vec![0.0; rows * 4]),
        ("losses", vec![0.0; 2]),
    ]
    .into_iter()
    .map(|(name, floats)| {
        let buffer = backend.allocate(name, floats.len()).unwrap();
        let words = bytemuck::cast_slice(&floats);
        backend.upload(&buffer, 0, words).unwrap();
        (name, buffer)
    })
    .collect();
    let find = |name: &str| buffers.get(name).cloned();
    let prepared = block_on(backend.prepare(&program, &find)).unwrap();
    let step = |step: u32| {
        let loss = golden.losses[(step / golden.epoch) as usize];
        // Two losses with this mean.
        let losses = [0.5 * loss, 1.5 * loss];
        let words: &[u32] = bytemuck::cast_slice(&losses);
        backend.upload(&buffers["losses"], 0, words).unwrap();
        backend.run(&prepared, 1).unwrap();
        let read = |name: &str, at| {
            let words = block_on(backend.read(&buffers[name], at, 1)).unwrap();
            f32::from_bits(words[0])
        };
        [read("current", 0), read("ring", step as usize * 4 + 2)]
    };
    (0..golden.steps).map(step).collect()
}

fn compare<B: Backend>(backend: &B, complaints: &mut Vec<String>) {
    let golden = golden();
    for row in &golden.rows {
        for (step, (found, expected)) in rates(backend, row, &golden)
            .iter()
            .zip(&row.rates)
            .enumerate()
        {
            for found in found {
                let error = (f64::from(*found) - expected).abs();
                // Relative to the peak. Written so that NaN is a complaint.
                if error <= 1e-6 * f64::from(golden.rate) {
                    continue;
                }
                let (id, fields) = (&row.id, &row.fields);
                let adapter = backend.adapter().name;
                complaints.push(format!(
                    "{id} {fields:?} step {step}: {found} not {expected} on {adapter}"
                ));
            }
        }
    }
}

#[test]
fn every_schedule_is_pytorchs() {
    let mut complaints = Vec::new();
    compare(&Cpu::new(), &mut complaints);
    for gpu in adapters() {
        compare(&gpu, &mut complaints);
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_schedule_has_a_golden() {
    let rows = golden().rows;
    for info in SCHEDULES {
        let id = info.id;
        assert!(rows.iter().any(|row| row.id == id), "{id}: no golden");
    }
}

fn scheduled(id: &str, fields: &Value, until: Option<u32>) -> Plan {
    let plan = Plan::new("sgd", &Map::new(), 4).unwrap();
    Plan {
        schedule: Pick::schedule(id, fields.as_object().unwrap()).unwrap(),
        until,
        ..plan
    }
}

/// However the steps are cut into submits, and without anything being written between them.
#[test]
fn training_follows_a_schedule_without_a_word_from_the_host() {
    let plan = scheduled("cosine", &json!({ "warmup": 0.1 }), Some(24));
    let run = |slices: &[u32]| {
        let cpu = Cpu::new();
        let mut session = session(&cpu, "pen-digits", "lenet5", 1);
        block_on(session.prepare(&plan)).unwrap();
        cpu.counters();
        let mut metrics = Vec::new();
        for &steps in slices {
            metrics.extend(block_on(session.advance(steps)).unwrap());
        }
        metrics.extend(block_on(session.drain()).unwrap());
        assert_eq!(cpu.counters().bytes_written, 0);
        metrics
    };
    let whole = run(&[24]);
    assert_eq!(run(&[1, 7, 16]), whole);
    let rates: Vec<f32> = whole.iter().map(|step| step.rate).collect();
    assert!(
        (rates[5] - 0.01).abs() < 1e-7,
        "the peak after the warm-up: {rates:?}"
    );
    assert!(rates[23] < 1e-4 && rates[0] > 0.0, "{rates:?}");
}

#[test]
fn changing_a_schedule_s_numbers_rebuilds_nothing() {
    let cpu = Cpu::new();
    let mut session = session(&cpu, "pen-digits", "lenet5", 1);
    block_on(session.prepare(&scheduled("cosine", &json!({}), Some(100)))).unwrap();
    cpu.counters();
    block_on(session.prepare(&scheduled("cosine", &json!({ "warmup": 3 }), Some(900)))).unwrap();
    assert_eq!(cpu.counters().buffers_created, 0);
}

#[test]
fn a_schedule_without_an_end_is_refused() {
    let mut session = session(&Cpu::new(), "pen-digits", "lenet5", 1);
    let refusal = block_on(session.prepare(&scheduled("one-cycle", &json!({}), None)));
    assert_eq!(
        refusal.unwrap_err().to_string(),
        "schedule one-cycle: expected a number of epochs, its own or the run's, found none"
    );
}
