//! What the known networks and the registered layers must be: exact parameter counts, multiply-adds
//! and receptive fields, and inputs that cannot work refused in a sentence.

use convscope::autodiff::gradient;
use convscope::compile::compile;
use convscope::error::Result;
use convscope::graph::{BackwardRule, Graph};
use convscope::nn::{Body, LAYERS, Mode, Network, NetworkSpec};
use convscope::tensor::{Shape, Spec};
use convscope::zoo::{self, ARCHITECTURES};
use serde_json::{Value, json};

fn network(id: &str, options: &Value, input: [usize; 3], classes: usize) -> Result<Network> {
    let options = options.as_object().cloned().unwrap_or_default();
    Network::new(&zoo::spec(id, &options, input, classes)?)
}

#[test]
fn parameters_and_multiply_adds_are_exact() {
    let none = json!({});
    let softmax = json!({ "output": "softmax" });
    for (id, options, input, params, macs) in [
        ("lenet5", &none, [1, 28, 28], 61_706, 416_520),
        ("lenet5", &none, [3, 32, 32], 83_126, 886_440),
        ("lenet5-1998", &none, [1, 28, 28], 60_000, 328_096),
        ("lenet5-1998", &none, [1, 32, 32], 60_000, 328_096),
        ("lenet5-1998", &softmax, [1, 28, 28], 60_850, 328_096),
        ("mini-vgg", &none, [3, 32, 32], 288_746, 38_634_752),
        ("mini-vgg", &none, [1, 28, 28], 288_170, 29_128_448),
        ("resnet20", &none, [3, 32, 32], 269_722, 40_551_040),
        ("resnet20", &none, [1, 28, 28], 269_434, 30_821_248),
    ] {
        let network = network(id, options, input, 10).unwrap();
        assert_eq!(network.params(), params, "{id} {input:?}");
        assert_eq!(network.macs(), macs, "{id} {input:?}");
    }
}

#[test]
fn the_layers_of_lenet5_are_those_of_the_paper() {
    let network = network("lenet5-1998", &json!({}), [1, 28, 28], 10).unwrap();
    // Trainable parameters and the image pixels that one unit sees, padded to 32 x 32 by 2.
    for (id, shape, params, size, stride) in [
        ("c1", [6, 28, 28], 156, 5, 1),
        ("s2", [6, 14, 14], 12, 6, 2),
        ("c3", [16, 10, 10], 1_516, 14, 2),
        ("s4", [16, 5, 5], 32, 16, 4),
        ("c5", [120, 1, 1], 48_120, 32, 4),
        ("f6", [84, 1, 1], 10_164, 32, 4),
        ("output", [10, 1, 1], 0, 32, 4),
    ] {
        let (_, layer) = network.layer(id).unwrap();
        assert_eq!(layer.shape, shape, "{id}");
        assert_eq!(layer.params, params, "{id}");
        assert_eq!(layer.receptive_field.size, [size; 2], "{id}");
        assert_eq!(layer.receptive_field.stride, [stride; 2], "{id}");
        assert_eq!(layer.receptive_field.offset, [-2; 2], "{id}");
    }
    let (_, c3) = network.layer("c3").unwrap();
    assert_eq!(network.parameters[c3.weight.unwrap()].name, "c3.weight");
}

#[test]
fn receptive_fields_pass_through_branches() {
    let network = network("resnet20", &json!({}), [3, 32, 32], 10).unwrap();
    for (id, size, stride, offset) in [
        ("stem", 3, 1, -1),
        ("stage1_3", 15, 1, -7),
        ("stage2_1_shortcut", 15, 2, -7),
        ("stage2_1", 21, 2, -10),
        ("stage3_3", 81, 4, -40),
        ("average", 109, 32, -40),
    ] {
        let field = network.layer(id).unwrap().1.receptive_field;
        assert_eq!(field.size, [size; 2], "{id}");
        assert_eq!(field.stride, [stride; 2], "{id}");
        assert_eq!(field.offset, [offset; 2], "{id}");
    }
}

#[test]
fn every_architecture_builds_in_both_modes_at_its_own_size() {
    for entry in ARCHITECTURES {
        let network = network(entry.id, &json!({}), entry.input, entry.classes).unwrap();
        let [c, h, w] = entry.input;
        for mode in [Mode::Train, Mode::Eval] {
            let mut graph = Graph::new();
            let x = graph.external("x", Spec::f32([3, h, w, c])).unwrap();
            let built = network.build(&mut graph, x, mode).unwrap();
            let logits = graph.shape(built.logits);
            assert_eq!(*logits, Shape::from([3, entry.classes]), "{}", entry.id);
            assert_eq!(built.layers.len(), network.layers.len());
            for (value, layer) in built.layers.iter().zip(&network.layers) {
                let elements: usize = layer.shape.iter().product();
                assert_eq!(graph.shape(*value).elements(), 3 * elements, "{}", layer.id);
            }
            let updates = mode == Mode::Train && !network.statistics.is_empty();
            assert_eq!(built.statistics.is_some(), updates, "{} {mode:?}", entry.id);
        }
    }
}

#[test]
fn impossible_inputs_are_refused_in_a_sentence() {
    for (id, input, classes, expected) in [
        (
            "lenet5",
            [1, 15, 28],
            10,
            "lenet5: expected an image of at least 16 x 16 pixels, found 15 x 28",
        ),
        (
            "lenet5-1998",
            [1, 33, 28],
            10,
            "lenet5-1998: expected an image of 20 to 32 pixels on a side (it is padded to 32), found 33 x 28",
        ),
        (
            "lenet5-1998",
            [1, 28, 28],
            47,
            "lenet5-1998: expected 10 classes for the codes of the ten digits (or the output \"softmax\"), found 47",
        ),
        (
            "resnet20",
            [3, 3, 3],
            10,
            "ResNet-20: expected an image of at least 4 x 4 pixels (it is halved twice), found 3 x 3",
        ),
        (
            "mini-vgg",
            [3, 32, 32],
            1,
            "network classes: expected 2 to 1000, found 1",
        ),
        (
            "mini-vgg",
            [65, 32, 32],
            10,
            "network input: expected 1 to 64 channels and sides of 1 to 1024, found [65, 32, 32]",
        ),
    ] {
        let error = network(id, &json!({}), input, classes).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn registry_entries_are_complete() {
    for (index, kind) in LAYERS.iter().enumerate() {
        assert!(LAYERS[..index].iter().all(|other| other.id != kind.id));
        assert!(kind.doc.ends_with('.'), "{}: a sentence", kind.id);
        for field in (kind.fields)() {
            assert!(field.doc.ends_with('.'), "{}.{}", kind.id, field.name);
        }
    }
    for entry in ARCHITECTURES {
        assert!(entry.doc.ends_with('.'), "{}: a sentence", entry.id);
    }
}

/// Every layer with its defaults, behind the first of some inputs that it accepts: an image, a vector,
/// the codes of `rbf`, class scores, two images, an image and a vector, a single row.
#[test]
fn every_layer_works_with_its_defaults() {
    let flat = json!({ "id": "flat", "kind": "flatten" });
    let dense = json!({ "id": "f6", "kind": "dense", "units": 84 });
    let scores = json!({ "id": "scores", "kind": "dense", "units": 10 });
    let mean = json!({ "id": "mean", "kind": "global_avg_pool2d" });
    let row = json!({ "id": "row", "kind": "conv2d", "kernel": 6, "kernel_width": 1 });
    let half = json!({ "id": "half", "kind": "max_pool2d" });
    let before = [
        (json!([]), json!(["input"])),
        (json!([&flat]), json!(["flat"])),
        (json!([&flat, &dense]), json!(["f6"])),
        (json!([&flat, &scores]), json!(["scores"])),
        (json!([]), json!(["input", "input"])),
        (json!([&mean]), json!(["input", "mean"])),
        (json!([&half]), json!(["half", "input"])),
        (json!([&row]), json!(["row"])),
    ];
    for kind in LAYERS {
        let mut refused = Vec::new();
        let behind = |(nodes, inputs): &(Value, Value), ends: &[Value]| {
            let mut nodes = nodes.as_array().unwrap().clone();
            nodes.push(json!({ "id": "it", "kind": kind.id, "inputs": inputs }));
            nodes.extend_from_slice(ends);
            let spec = json!({ "name": "t", "input": [4, 6, 6], "classes": 10, "nodes": nodes });
            Network::new(&NetworkSpec::from_json(&spec.to_string()).unwrap())
        };
        let out = json!({ "id": "out", "kind": "dense" });
        let end = json!({ "id": "end", "kind": "flatten" });
        let ends = [vec![end, out.clone()], vec![out], vec![]];
        let mut tries = before.iter().flat_map(|b| ends.iter().map(move |e| (b, e)));
        let network = tries.find_map(|(before, end)| {
            let found = behind(before, end);
            found.map_err(|error| refused.push(error.to_string())).ok()
        });
        let network = network.unwrap_or_else(|| panic!("{}: {refused:#?}", kind.id));
        let (_, layer) = network.layer("it").unwrap();
        assert_eq!(layer.kind == kind.id, matches!(kind.body, Body::Layer(_)));

        // It has gradients, and both compile.
        let mut g = Graph::new();
        let x = g.external("x", Spec::f32([2, 6, 6, 4])).unwrap();
        let built = network.build(&mut g, x, Mode::Train).unwrap();
        let shape = g.shape(built.logits).clone();
        let seed = g.constant(shape, &[1.0; 20]).unwrap();
        let wrt: Vec<_> = [x].into_iter().chain(built.parameters).collect();
        for rule in [BackwardRule::Gradient, BackwardRule::Deconvnet] {
            let found = gradient(&mut g, built.logits, seed, &wrt, rule).unwrap();
            compile(&g, kind.id, &found).unwrap();
        }
    }
}
