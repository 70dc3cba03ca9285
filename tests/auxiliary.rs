//! Classifiers at the side: in training their losses count with their weights and reach what is behind them;
//! when the network answers they are not there.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::BTreeMap;
use std::rc::Rc;

use convscope::backend::Backend as _;
use convscope::backend::cpu::Cpu;
use convscope::data;
use convscope::nn::{Network, NetworkSpec};
use convscope::tensor::Tensor;
use convscope::train::{Loaded, Plan, Session};
use pollster::block_on;
use serde_json::{Map, Value, json};

/// A network whose trunk ends in two classifiers; the loss of the one at the side counts `weight` times.
fn two_ends(weight: f64) -> NetworkSpec {
    let nodes = json!([
        { "id": "trunk", "kind": "conv2d", "out_channels": 4, "kernel": 3 },
        { "id": "mean", "kind": "global_avg_pool2d" },
        { "id": "side", "kind": "dense", "units": 10 },
        { "id": "side_loss", "kind": "auxiliary", "weight": weight },
        { "id": "end", "kind": "dense", "units": 10, "inputs": ["mean"] },
    ]);
    let spec = json!({ "name": "t", "input": [1, 28, 28], "classes": 10, "nodes": nodes });
    NetworkSpec::from_json(&spec.to_string()).unwrap()
}

fn session(spec: &NetworkSpec) -> Session<Cpu> {
    let options = json!({ "train": 100, "test": 100 });
    let dataset = data::generate("pen-digits", options.as_object().unwrap()).unwrap();
    let data = Rc::new(Loaded::new(&Cpu::new(), dataset).unwrap());
    Session::new(&Cpu::new(), data, Network::new(spec).unwrap(), 1).unwrap()
}

/// How far one step of plain descent moves each parameter, and the step's loss.
fn moves(weight: f64) -> (BTreeMap<String, Vec<f32>>, f32) {
    let mut session = session(&two_ends(weight));
    let before = block_on(session.parameters()).unwrap();
    let settings = json!({ "learningRate": 0.1, "momentum": 0.0 });
    let plan = Plan::new("sgd", settings.as_object().unwrap(), 20).unwrap();
    block_on(session.prepare(&plan)).unwrap();
    block_on(session.advance(1)).unwrap();
    let loss = block_on(session.drain()).unwrap()[0].loss;
    let after = block_on(session.parameters()).unwrap();
    let moved = |((name, a), (_, b)): ((String, Tensor), (String, Tensor))| {
        let pairs = a.to_vec().into_iter().zip(b.to_vec());
        (name, pairs.map(|(a, b)| b - a).collect())
    };
    (before.into_iter().zip(after).map(moved).collect(), loss)
}

#[test]
fn the_loss_at_the_side_counts_with_its_weight() {
    let [(none, loss0), (one, loss1), (two, loss2)] = [0.0, 1.0, 2.0].map(moves);
    assert!(none["side.weight"].iter().all(|x| *x == 0.0));
    // The step is linear in the loss: what the second unit of weight adds is what the first one added.
    assert!((loss2 - 2.0 * loss1 + loss0).abs() < 1e-5 && loss1 > loss0 + 1.0);
    for (name, first) in &none {
        let sides = first.iter().zip(&one[name]).zip(&two[name]);
        for ((a, b), c) in sides {
            assert!((c - 2.0 * b + a).abs() < 1e-6, "{name}: {a} {b} {c}");
        }
    }
    assert_eq!(none["end.weight"], one["end.weight"]);
    assert_ne!(none["trunk.weight"], one["trunk.weight"]);
}

#[test]
fn an_answer_does_not_compute_what_is_at_the_side() {
    let session = session(&two_ends(0.3));
    let dispatches = |session: &Session<Cpu>| {
        let mut evaluation = block_on(session.evaluation("test")).unwrap();
        session.backend().counters();
        block_on(evaluation.advance(1)).unwrap();
        session.backend().counters().dispatches
    };
    let with = dispatches(&session);
    let mut bare = two_ends(0.3);
    bare.nodes
        .retain(|node| !node.id.as_deref().unwrap().starts_with("side"));
    assert_eq!(with, dispatches(&self::session(&bare)));
}

#[test]
fn scores_of_another_size_are_refused_by_name() {
    let mut spec = two_ends(0.3);
    spec.nodes[2].fields = Map::from_iter([("units".to_owned(), Value::from(9))]);
    let refused = Network::new(&spec).unwrap_err().to_string();
    assert!(
        refused.contains("side") && refused.contains("10"),
        "{refused}"
    );
}
