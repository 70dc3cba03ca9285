//! That attributions mean what they say, from first principles, on small networks with drawn weights: sums
//! that must be kept, special cases that must agree, and refusals. Against other implementations:
//! `tests/attribution_golden.rs`; on trained networks: `tests/attribution_trained.rs`.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;
#[path = "common/recipes.rs"]
mod recipes;

use convscope::backend::cpu::Cpu;
use convscope::nn::{LayerInfo, Network, NetworkSpec};
use convscope::rng::Rng;
use convscope::tensor::Tensor;
use convscope::visualize::{Picture, VISUALIZATIONS, find_visualization};
use convscope::zoo::{self, ARCHITECTURES};
use serde_json::{Map, Value, json};

use common::adapters;
use recipes::{pictures, request, run_over};

/// Batch norm, a residual connection, both poolings: everything that relevance goes through. No biases but
/// batch norm's, which begin at zero.
fn network() -> (Network, Vec<f32>, Tensor) {
    let conv = |id: &str, inputs: Value| {
        json!({ "id": id, "kind": "conv2d", "out_channels": 4, "kernel": 3, "padding": "same",
        "bias": false, "inputs": inputs })
    };
    let spec = json!({ "name": "residual", "input": [2, 8, 8], "classes": 3, "nodes": [
        conv("conv1", json!(["input"])),
        { "id": "bn1", "kind": "batch_norm2d", "gamma": 0.7 },
        { "id": "relu1", "kind": "relu" },
        { "id": "pool", "kind": "max_pool2d", "size": 2 },
        conv("conv2", json!(["pool"])),
        { "id": "bn2", "kind": "batch_norm2d" },
        { "id": "sum", "kind": "add", "inputs": ["bn2", "pool"] },
        { "id": "relu2", "kind": "relu" },
        { "id": "mean", "kind": "avg_pool2d", "size": 2 },
        { "id": "flat", "kind": "flatten" },
        { "id": "fc", "kind": "dense", "units": 3, "bias": false },
    ] });
    made(&spec)
}

fn made(spec: &Value) -> (Network, Vec<f32>, Tensor) {
    let network = Network::new(&NetworkSpec::from_json(&spec.to_string()).unwrap()).unwrap();
    let (parameters, _) = network.initial(5);
    let mut rng = Rng::new(9, "image");
    let image = Tensor::from_fn(network.spec.input, |_| rng.uniform());
    (network, parameters, image)
}

fn shown(method: &str, layer: &str, fields: &Value) -> Vec<Picture> {
    let (network, parameters, image) = network();
    let request = request(&network, method, (layer, 0), Some(&image), fields);
    pictures(&request, method, &parameters)
}

fn map(method: &str, fields: &Value) -> Vec<f32> {
    shown(method, "sum", fields)[0].data.clone()
}

fn scores() -> Vec<f32> {
    let last = shown("feature-maps", "fc", &json!({}));
    last.iter().map(|picture| picture.data[0]).collect()
}

/// Fails unless all of `a` and `b` differ by no more than `bound` of the largest.
fn assert_close(a: &[f32], b: &[f32], bound: f32, what: &str) {
    let largest = a.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    assert!(largest > 0.0, "{what}: there is something to compare");
    for (at, (x, y)) in a.iter().zip(b).enumerate() {
        assert!(
            (x - y).abs() <= bound * largest,
            "{what}, pixel {at}: {x} and {y}"
        );
    }
}

#[test]
fn the_class_is_the_predicted_one_unless_another_is_asked_for() {
    let scores = scores();
    let best = (0..3)
        .max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
        .unwrap();
    let other = (best + 1) % 3;
    let methods = VISUALIZATIONS
        .iter()
        .filter(|method| method.attribution().is_some());
    let mut count = 0;
    for method in methods.map(|method| method.id()) {
        let by_itself = map(method, &json!({}));
        assert_eq!(
            by_itself,
            map(method, &json!({ "class": best })),
            "{method}"
        );
        assert_ne!(
            by_itself,
            map(method, &json!({ "class": other })),
            "{method}"
        );
        count += 1;
    }
    let compared = shown("attributions", "input", &json!({}));
    assert!(compared.len() >= count, "all {count} are compared");
}

#[test]
fn integrated_gradients_add_up_to_the_difference_of_the_scores() {
    let (network, parameters, image) = network();
    for (class, baseline) in [(0, "black"), (1, "white"), (2, "mean"), (0, "noise")] {
        let fields = json!({ "class": class, "baseline": baseline, "steps": 256 });
        let request = request(
            &network,
            "integrated-gradients",
            ("input", 0),
            Some(&image),
            &fields,
        );
        let picture = pictures(&request, "integrated-gradients", &parameters).remove(0);
        let sum: f32 = picture.data.iter().sum();
        // " ... of <difference>", which the network itself gives.
        let difference: f32 = picture.title.rsplit(' ').next().unwrap().parse().unwrap();
        let largest = difference.abs().max(0.5);
        assert!(
            (sum - difference).abs() < 0.01 * largest + 0.005,
            "{}",
            picture.title
        );
    }
}

#[test]
fn smoothgrad_without_noise_is_the_saliency_map() {
    let smooth = map("smoothgrad", &json!({ "noise": 0.0, "samples": 7 }));
    assert_close(&map("saliency", &json!({})), &smooth, 1e-5, "smoothgrad");
    let noisy = json!({ "noise": 0.3, "samples": 7 });
    assert_eq!(
        map("smoothgrad", &noisy),
        map("smoothgrad", &noisy),
        "same seed, same picture"
    );
    assert_ne!(map("smoothgrad", &noisy), smooth);
}

#[test]
fn relevance_is_handed_down_whole() {
    // Without biases nothing is lost, and with a small epsilon what arrives is gradient x input (Shrikumar et
    // al. 2017, section 2.2.1).
    let score = scores()[1];
    let small = map(
        "relevance-propagation",
        &json!({ "class": 1, "epsilon": 1e-7 }),
    );
    let product = map("gradient-x-input", &json!({ "class": 1 }));
    assert_close(&product, &small, 1e-4, "epsilon rule");
    for fields in [
        json!({ "class": 1, "epsilon": 1e-7 }),
        json!({ "class": 1, "rule": "z+" }),
        json!({ "class": 1, "rule": "alpha-beta", "beta": 0.5 }),
    ] {
        let sum: f32 = map("relevance-propagation", &fields).iter().sum();
        assert!(
            (sum - score).abs() < 2e-3 * score.abs().max(1.0),
            "{fields}: {sum} of {score}"
        );
    }
    // Positive contributions alone keep the score's sign, as the image is positive.
    let plain = json!({ "name": "plain", "input": [1, 6, 6], "classes": 2, "nodes": [
        { "kind": "conv2d", "out_channels": 3, "kernel": 3, "bias": false },
        { "kind": "relu" },
        { "kind": "flatten" },
        { "kind": "dense", "units": 2, "bias": false },
    ] });
    let (network, parameters, image) = made(&plain);
    let fields = json!({ "rule": "z+" });
    let request = request(
        &network,
        "relevance-propagation",
        ("input", 0),
        Some(&image),
        &fields,
    );
    let map = &pictures(&request, "relevance-propagation", &parameters)[0].data;
    let sign = map.iter().sum::<f32>().signum();
    assert!(
        map.iter().all(|x| x * sign >= 0.0),
        "one sign only: {map:?}"
    );
}

#[test]
fn occlusion_is_what_the_network_loses_under_the_square() {
    let fields = json!({ "class": 0, "patch": 8, "stride": 1, "occluder": "black" });
    // One place that covers everything: the whole difference to the black image, everywhere.
    let maps = shown("occlusion", "input", &fields);
    let (network, parameters, _) = network();
    let black = Tensor::from_fn([2, 8, 8], |_| 0.0);
    let request = request(&network, "occlusion", ("input", 0), Some(&black), &fields);
    let dark = pictures(&request, "occlusion", &parameters);
    assert_eq!((maps[1].width, maps[1].height), (1, 1));
    assert_eq!(maps[1].data, dark[1].data, "covered, both images are black");
    assert!(
        dark[0].data.iter().all(|x| x.abs() < 1e-6),
        "nothing is lost"
    );
    let lost = maps[0].data[0];
    assert!(lost != 0.0 && maps[0].data.iter().all(|x| (x - lost).abs() < 1e-6));
}

#[test]
fn a_cascade_begins_with_the_trained_map_and_ends_with_an_untrained_one() {
    for method in ["gradient-x-input", "smoothgrad", "grad-cam"] {
        let fields = json!({ "attribution": method });
        let all = shown("weight-randomization", "sum", &fields);
        assert_eq!(all[0].data, map(method, &json!({})), "{method} as trained");
        let correlation = all.last().unwrap();
        // As trained, then fc, bn2, conv2, bn1 and conv1.
        assert_eq!(correlation.data.len(), 6, "{}", correlation.title);
        assert!(correlation.data.iter().all(|x| (-1.0..=1.0).contains(x)));
        assert_ne!(all[0].data, all[5].data, "{method} with random weights");
        let again = shown("weight-randomization", "sum", &fields);
        assert_eq!(all, again, "same seed, same pictures");
    }
}

#[test]
fn curves_begin_and_end_with_the_whole_and_the_empty_image() {
    let fields = json!({ "class": 1, "attribution": "saliency", "baseline": "black", "steps": 16 });
    let all = shown("deletion-insertion", "input", &fields);
    let [deleted, inserted] = [&all[1], &all[2]];
    assert_eq!((deleted.width, deleted.height), (17, 2));
    let scores = scores();
    let total: f32 = scores.iter().map(|score| score.exp()).sum();
    let whole = scores[1].exp() / total;
    // All scores are zero for the black image, as nothing has a bias.
    let empty = 1.0 / 3.0;
    for (curve, from, to) in [(deleted, whole, empty), (inserted, empty, whole)] {
        for row in curve.data.chunks_exact(17) {
            assert!((row[0] - from).abs() < 1e-5, "{}: {row:?}", curve.title);
            assert!((row[16] - to).abs() < 1e-5, "{}: {row:?}", curve.title);
        }
    }
}

#[test]
fn bad_requests_are_refused_with_a_sentence() {
    let (network, parameters, image) = network();
    let refusal = |method: &str, layer: &str, fields: Value| {
        let request = request(&network, method, (layer, 0), Some(&image), &fields);
        let recipe = find_visualization(method).unwrap().recipe(&request);
        recipe.unwrap_err().to_string()
    };
    let class = refusal("smoothgrad", "input", json!({ "class": 3 }));
    assert_eq!(
        class,
        "class: expected a class below 3, or -1 for the predicted one, found 3"
    );
    for layer in ["fc", "input"] {
        let found = refusal("grad-cam-plus-plus", layer, json!({}));
        let expected =
            format!("Grad-CAM: expected a layer with maps behind the input, found {layer}");
        assert_eq!(found, expected);
    }
    // More than a tab can hold.
    let large = json!({ "name": "large", "input": [3, 512, 512], "classes": 2, "nodes": [
        { "kind": "conv2d", "out_channels": 1, "stride": 16 },
        { "kind": "global_avg_pool2d" },
        { "kind": "dense", "units": 2 },
    ] });
    let (big, _, photo) = made(&large);
    for (method, fields) in [
        ("smoothgrad", json!({})),
        ("occlusion", json!({ "patch": 1, "stride": 1 })),
    ] {
        let request = request(&big, method, ("input", 0), Some(&photo), &fields);
        let recipe = find_visualization(method).unwrap().recipe(&request);
        let found = recipe.unwrap_err().to_string();
        assert!(found.starts_with("attribution: needs "), "{found}");
    }
    // Weights that are no numbers: every map would be a lie.
    let broken = vec![f32::NAN; parameters.len()];
    let (_, statistics) = network.initial(0);
    for method in VISUALIZATIONS
        .iter()
        .filter(|method| method.attribution().is_some())
    {
        let request = request(&network, method.id(), ("sum", 0), Some(&image), &json!({}));
        let recipe = method.recipe(&request).unwrap();
        let found = run_over(&Cpu::new(), recipe, (&broken, &statistics))
            .unwrap_err()
            .to_string();
        assert!(
            found.contains("the network has diverged"),
            "{}: {found}",
            method.id()
        );
    }
}

#[test]
fn relevance_refuses_what_it_has_no_rule_for() {
    let squared = json!({ "name": "distances", "input": [1, 12, 7], "classes": 10, "nodes": [
        { "kind": "flatten" },
        { "kind": "rbf" },
    ] });
    let (network, _, image) = made(&squared);
    let method = find_visualization("relevance-propagation").unwrap();
    let request = request(
        &network,
        method.id(),
        ("input", 0),
        Some(&image),
        &json!({}),
    );
    let found = method.recipe(&request).unwrap_err().to_string();
    assert!(
        found.starts_with("relevance: expected layers that relevance can be handed through"),
        "{found}"
    );
}

#[test]
fn every_adapter_shows_the_same() {
    let (network, parameters, image) = network();
    let (_, statistics) = network.initial(0);
    let state = (parameters.as_slice(), statistics.as_slice());
    let methods = [
        "attributions",
        "weight-randomization",
        "deletion-insertion",
        "pgd",
    ];
    for (gpu, method) in adapters()
        .iter()
        .flat_map(|gpu| methods.map(|method| (gpu, method)))
    {
        let request = request(&network, method, ("sum", 0), Some(&image), &json!({}));
        let recipe = || {
            find_visualization(method)
                .unwrap()
                .recipe(&request)
                .unwrap()
        };
        let expected = run_over(&Cpu::new(), recipe(), state).unwrap();
        let found = run_over(gpu, recipe(), state).unwrap();
        assert_eq!(expected.len(), found.len(), "{method}");
        for (cpu, gpu) in expected.iter().zip(&found) {
            assert_close(&cpu.data, &gpu.data, 1e-3, &cpu.title);
        }
    }
}

#[test]
fn every_network_is_explained_or_says_why_not() {
    let mut refused = Vec::new();
    for entry in ARCHITECTURES.iter().filter(|entry| !entry.full) {
        let spec = zoo::spec(entry.id, &Map::new(), entry.input, entry.classes).unwrap();
        let network = Network::new(&spec).unwrap();
        let image = Tensor::from_fn(entry.input, |_| 0.5);
        let maps = |layer: &&LayerInfo| layer.shape[1] * layer.shape[2] > 1;
        let last = network.layers.iter().rfind(maps).unwrap().id.clone();
        for method in VISUALIZATIONS
            .iter()
            .filter(|method| method.attribution().is_some())
        {
            let request = request(&network, method.id(), (&last, 0), Some(&image), &json!({}));
            if let Err(refusal) = method.recipe(&request) {
                let text = refusal.to_string();
                assert!(
                    text.starts_with("relevance: expected layers that"),
                    "{}: {text}",
                    entry.id
                );
                refused.push(entry.id);
            }
        }
    }
    let all = ARCHITECTURES.iter().filter(|entry| !entry.full).count();
    assert!(2 * refused.len() < all, "most have relevances: {refused:?}");
}
