//! convscope's attributions against Captum's and pytorch-grad-cam's, on three networks over the formula's
//! weights: `tests/golden/attribution.py` wrote the file, in float64.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "golden/compare.rs"]
#[expect(dead_code, reason = "optimizers are compared elsewhere")]
mod compare;
#[path = "golden/formula.rs"]
mod formula;
#[path = "golden/hashed.rs"]
mod hashed;
#[path = "common/recipes.rs"]
#[expect(dead_code, reason = "these weights have statistics of their own")]
mod recipes;

use std::collections::BTreeMap;
use std::path::Path;

use convscope::backend::cpu::Cpu;
use convscope::nn::Network;
use convscope::tensor::Tensor;
use convscope::visualize::find_visualization;
use convscope::zoo;
use serde::Deserialize;
use serde_json::{Map, json};

use compare::{Complaints, Summary};
use formula::initial;
use hashed::hashed;
use recipes::{request, run_over};

/// Largest difference of a map's entries, relative to its root mean square.
const BOUND: f64 = 1e-3;

#[derive(Deserialize)]
struct Golden {
    epsilon: f64,
    steps: usize,
    patch: usize,
    stride: usize,
    networks: BTreeMap<String, Explained>,
}

#[derive(Deserialize)]
struct Explained {
    input: [usize; 3],
    layer: String,
    class: usize,
    vector: f32,
    maps: BTreeMap<String, Summary>,
}

fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/attribution.json");
    let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let explained = &golden.networks[name];
    let [c, h, w] = explained.input;
    let network = Network::new(&zoo::spec(name, &Map::new(), [c, h, w], 10).unwrap()).unwrap();
    let (parameters, statistics) = initial(&network, explained.vector);
    let pixels = hashed(0, c * h * w)
        .iter()
        .map(|x| (x + 1.0) / 2.0)
        .collect();
    let image = Tensor::new([c, h, w], pixels).unwrap();
    let mut found = Vec::new();
    for key in explained.maps.keys() {
        // A method and, where there are several, its rule.
        let (method, rule) = key.split_once(' ').unwrap_or((key, "epsilon"));
        let mut fields = json!({ "class": explained.class });
        match method {
            "integrated-gradients" => fields["steps"] = json!(golden.steps),
            "occlusion" => {
                fields["patch"] = json!(golden.patch);
                fields["stride"] = json!(golden.stride);
            }
            "relevance-propagation" => {
                fields["rule"] = json!(rule);
                fields["epsilon"] = json!(golden.epsilon);
            }
            _ => {}
        }
        let request = request(
            &network,
            method,
            (&explained.layer, 0),
            Some(&image),
            &fields,
        );
        let recipe = find_visualization(method)
            .unwrap()
            .recipe(&request)
            .unwrap();
        let mut map = run_over(&Cpu::new(), recipe, (&parameters, &statistics)).unwrap()[0]
            .data
            .clone();
        if method == "grad-cam-plus-plus" {
            // pytorch-grad-cam gives no other than this.
            let low = map.iter().copied().fold(f32::INFINITY, f32::min);
            let high = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            map.iter_mut().for_each(|x| *x = (*x - low) / (high - low));
        }
        found.push((key.clone(), Tensor::new([h, w], map).unwrap()));
    }
    let mut complaints = Complaints::default();
    complaints.tensors(name, &found, &explained.maps, BOUND);
    let Complaints(lines) = complaints;
    assert!(lines.is_empty(), "{name}:\n{}", lines.join("\n"));
}

#[test]
fn attributions_of_lenet5_are_captums() {
    check("lenet5");
}

#[test]
fn attributions_of_mini_vgg_are_captums() {
    check("mini-vgg");
}

#[test]
fn attributions_of_resnet20_are_captums() {
    check("resnet20");
}
