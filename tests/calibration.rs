//! Layer-sequential unit variance: what is measured here, image by image through the probe, is what the paper's
//! algorithm promises of every layer's outputs; and nothing that was not drawn is scaled.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;

use std::rc::Rc;

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::data::{self, Split};
use convscope::nn::{Network, NetworkSpec};
use convscope::train::{Loaded, Plan, Session};
use pollster::block_on;
use serde_json::{Map, Value, json};

use common::adapters;

/// As many images as calibration looks at, so that its batch is the whole split.
const IMAGES: usize = 32;

/// The layers with weights in [`deep`].
const WEIGHTED: [&str; 5] = ["c1", "c2", "c3", "f1", "f2"];

/// Convolutions, pooling and dense layers, all begun by `init`.
fn deep(init: &str) -> NetworkSpec {
    let conv =
        |id| json!({ "id": id, "kind": "conv2d", "out_channels": 6, "kernel": 3, "init": init });
    let nodes = json!([
        conv("c1"), { "kind": "relu" },
        conv("c2"), { "kind": "tanh" },
        { "kind": "max_pool2d", "size": 2 },
        conv("c3"), { "kind": "relu" },
        { "kind": "flatten" },
        { "id": "f1", "kind": "dense", "units": 20, "init": init }, { "kind": "sigmoid" },
        { "id": "f2", "kind": "dense", "units": 10, "init": init },
    ]);
    serde_json::from_value(
        json!({ "name": "deep", "input": [1, 28, 28], "classes": 10, "nodes": nodes }),
    )
    .unwrap()
}

fn session<B: Backend>(backend: &B, init: &str) -> Session<B> {
    let options = json!({ "train": 100, "test": 100 });
    let mut dataset = data::generate("pen-digits", options.as_object().unwrap()).unwrap();
    let (images, labels) = (dataset.train.images(), dataset.train.labels());
    let images = images[..IMAGES * dataset.shape.iter().product::<usize>()].to_vec();
    dataset.train = Split::new(dataset.shape, images, labels[..IMAGES].to_vec()).unwrap();
    let data = Rc::new(Loaded::new(backend, dataset).unwrap());
    Session::new(backend, data, Network::new(&deep(init)).unwrap(), 1).unwrap()
}

fn plan() -> Plan {
    let settings: Map<String, Value> = Map::new();
    Plan::new("sgd", &settings, 8).unwrap()
}

/// The variance of a layer's outputs over all training images.
fn variance<B: Backend>(session: &Session<B>, layer: &str) -> f64 {
    let network = session.network();
    let (index, _) = network.layer(layer).unwrap();
    let probe = block_on(session.probe()).unwrap();
    let split = &session.data().dataset.train;
    let mut all = Vec::new();
    for image in 0..IMAGES {
        probe.run(&split.image(image).unwrap()).unwrap();
        let found = block_on(probe.activations(network, index)).unwrap();
        all.extend(found.to_vec().into_iter().map(f64::from));
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64
}

fn assert_calibrates<B: Backend>(backend: &B) {
    let mut session = session(backend, "lsuv");
    let before: Vec<f64> = WEIGHTED.iter().map(|id| variance(&session, id)).collect();
    assert!(
        before.iter().any(|v| !(0.5..2.0).contains(v)),
        "already one: {before:?}"
    );
    block_on(session.prepare(&plan())).unwrap();
    for id in WEIGHTED {
        let found = variance(&session, id);
        assert!((0.895..1.105).contains(&found), "{id}: {found}");
    }
    // A second start finds nothing to do, and a reset everything again, also where the step is kept.
    let calibrated = block_on(session.parameters()).unwrap();
    block_on(session.prepare(&plan())).unwrap();
    assert_eq!(block_on(session.parameters()).unwrap(), calibrated);
    session.reset(1).unwrap();
    assert_ne!(block_on(session.parameters()).unwrap(), calibrated);
    block_on(session.prepare(&plan())).unwrap();
    assert_eq!(block_on(session.parameters()).unwrap(), calibrated);
}

#[test]
fn outputs_of_every_layer_have_variance_one_before_the_first_step() {
    assert_calibrates(&Cpu::new());
    adapters().iter().for_each(assert_calibrates);
}

#[test]
fn weights_from_outside_and_of_other_schemes_stay_as_they_are() {
    let mut own = session(&Cpu::new(), "lsuv");
    let drawn = block_on(own.parameters()).unwrap();
    block_on(own.set_parameters(&drawn)).unwrap();
    block_on(own.prepare(&plan())).unwrap();
    assert_eq!(block_on(own.parameters()).unwrap(), drawn);
    let mut other = session(&Cpu::new(), "orthogonal");
    let drawn = block_on(other.parameters()).unwrap();
    block_on(other.prepare(&plan())).unwrap();
    assert_eq!(block_on(other.parameters()).unwrap(), drawn);
}
