//! Descriptions of networks from outside: refused at the node that is wrong, in a sentence; never a
//! panic; the same network after a round trip through JSON and after blocks are expanded.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use convscope::nn::{LAYERS, Network, NetworkSpec};
use convscope::zoo;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn sentence(spec: &Value) -> String {
    let spec = NetworkSpec::from_json(&spec.to_string());
    spec.and_then(|spec| Network::new(&spec))
        .unwrap_err()
        .to_string()
}

#[test]
fn wrong_descriptions_are_refused_at_their_node() {
    let with =
        |nodes: Value| json!({ "name": "t", "input": [2, 8, 8], "classes": 3, "nodes": nodes });
    let dense = json!({ "kind": "dense", "units": 3 });
    let known: Vec<&str> = LAYERS.iter().map(|kind| kind.id).collect();
    let unknown = format!("unknown layer \"convolution\"; known: {}", known.join(", "));
    for (nodes, expected) in [
        (json!([]), "t: expected at least one node, found none"),
        (json!([{ "kind": "convolution" }]), unknown.as_str()),
        (
            json!([{ "kind": "relu", "inputs": ["later"] }]),
            "relu1: expected inputs that are earlier nodes, found \"later\"",
        ),
        (
            json!([{ "id": "a b", "kind": "relu" }]),
            "node id: expected 1 to 64 letters, digits, _ or -, found \"a b\"",
        ),
        (
            json!([{ "id": "a", "kind": "relu" }, { "id": "a", "kind": "relu" }]),
            "a: expected an id of its own, found it twice",
        ),
        (
            json!([{ "id": "c", "kind": "conv2d", "kernel": 9 }]),
            "c: expected at least 9 pixels with padding, found 8",
        ),
        (
            json!([{ "id": "c", "kind": "conv2d", "groups": 3 }]),
            "c: expected channels divisible into 3 groups, found 2 in, 16 out",
        ),
        (
            json!([{ "id": "c", "kind": "conv2d", "connections": "lenet-c3" }]),
            "c: expected 6 maps in and 16 out for the lenet-c3 table, found 2 in, 16 out",
        ),
        (
            json!([{ "id": "p", "kind": "max_pool2d", "size": 9 }]),
            "p: expected at least 9 pixels to pool over, found 8 x 8",
        ),
        (
            json!([dense]),
            "dense1: expected a vector (put a flatten before it), found feature maps [8, 8, 2]",
        ),
        (
            json!([{ "kind": "flatten" }, { "id": "c", "kind": "conv2d" }]),
            "c: expected feature maps, found a vector (it was flattened before)",
        ),
        (
            json!([{ "kind": "add" }]),
            "add1: expected two inputs or more, found 1",
        ),
        (
            json!([{ "kind": "max_pool2d" }, { "kind": "add", "inputs": ["input", "max_pool2d1"] }]),
            "add1: expected inputs of shape [8, 8, 2], found [4, 4, 2]",
        ),
        (
            json!([{ "kind": "max_pool2d" }, { "kind": "concat", "inputs": ["input", "max_pool2d1"] }]),
            "concat1: expected inputs that differ from [8, 8, 2] only in channels, found [4, 4, 2]",
        ),
        (
            json!([{ "kind": "flatten" }, { "id": "o", "kind": "dense", "units": 4 }]),
            "o: expected a vector of 3 class scores at the end, found [4]",
        ),
        (
            json!([{ "kind": "flatten" }, { "id": "o", "kind": "rbf" }]),
            "o: expected 84 inputs (7x12), found 128",
        ),
        (
            json!([{ "kind": "conv2d", "out_channels": 4096, "padding": "same" },
                   { "kind": "conv2d", "out_channels": 4096, "padding": "same", "kernel": 31 }]),
            "conv2d2.weight: needs 64491618304 bytes, the limit is 4294967296 bytes",
        ),
        (
            json!([{ "kind": "repeat", "nodes": [{ "kind": "relu" }] }]),
            "repeat1: expected one input, times (1 to 4000) and nodes (at least one), found 1 inputs, \
             {\"nodes\":[{\"kind\":\"relu\"}]}",
        ),
        (
            json!([{ "kind": "repeat", "times": 2, "nodes": [{ "kind": "add", "inputs": ["input", "a"] }] }]),
            "repeat1_1_add1: expected inputs that are earlier nodes, found \"a\"",
        ),
        (
            json!([{ "id": "r", "kind": "repeat", "times": 4000, "nodes": [
                { "id": "r", "kind": "repeat", "times": 4000, "nodes": [{ "kind": "relu" }] }] }]),
            "network: expected at most 4000 nodes, found more",
        ),
    ] {
        assert_eq!(sentence(&with(nodes)), expected);
    }
}

#[test]
fn expanding_blocks_changes_nothing_but_the_description() {
    let spec = zoo::spec("resnet20", &Map::new(), [3, 32, 32], 10).unwrap();
    let expanded = spec.expanded().unwrap();
    assert_eq!(expanded, expanded.expanded().unwrap());
    let (short, long) = (
        Network::new(&spec).unwrap(),
        Network::new(&expanded).unwrap(),
    );
    assert_eq!(short.layers, long.layers);
    assert_eq!(short.initial(3), long.initial(3));
}

#[test]
fn repeats_stand_for_their_nodes_and_know_their_turn() {
    let short = json!({ "name": "t", "input": [4, 8, 8], "classes": 3, "nodes": [
        { "id": "stage", "kind": "repeat", "times": 2, "nodes": [
            { "id": "twice", "kind": "repeat", "times": 2, "nodes": [
                { "id": "conv", "kind": "conv2d", "out_channels": 4, "padding": "same" },
                { "kind": "relu" } ] },
            { "id": "sum", "kind": "add", "inputs": ["twice", "input"] } ] },
        { "kind": "global_avg_pool2d", "inputs": ["stage"] },
        { "id": "fc", "kind": "dense", "units": 3 } ] });
    let spec = NetworkSpec::from_json(&short.to_string()).unwrap();
    let network = Network::new(&spec).unwrap();
    let found: Vec<(&str, Vec<&str>)> = network.layers[1..]
        .iter()
        .map(|layer| {
            let inputs = layer.inputs.iter().map(String::as_str);
            (layer.id.as_str(), inputs.collect())
        })
        .collect();
    let expected = [
        ("stage_1_twice_1_conv", vec!["input"]),
        ("stage_1_twice_1_relu1", vec!["stage_1_twice_1_conv"]),
        ("stage_1_twice_2_conv", vec!["stage_1_twice_1_relu1"]),
        ("stage_1_twice_2_relu1", vec!["stage_1_twice_2_conv"]),
        ("stage_1_sum", vec!["stage_1_twice_2_relu1", "input"]),
        ("stage_2_twice_1_conv", vec!["stage_1_sum"]),
        ("stage_2_twice_1_relu1", vec!["stage_2_twice_1_conv"]),
        ("stage_2_twice_2_conv", vec!["stage_2_twice_1_relu1"]),
        ("stage_2_twice_2_relu1", vec!["stage_2_twice_2_conv"]),
        ("stage_2_sum", vec!["stage_2_twice_2_relu1", "stage_1_sum"]),
        ("global_avg_pool2d1", vec!["stage_2_sum"]),
        ("fc", vec!["global_avg_pool2d1"]),
    ];
    assert_eq!(found, expected);
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(NetworkSpec::from_json(&text).unwrap(), spec);
    let long = Network::new(&spec.expanded().unwrap()).unwrap();
    assert_eq!(network.layers, long.layers);
}

/// A description with a mixture of right and wrong in it.
fn any_spec() -> impl Strategy<Value = NetworkSpec> {
    let kinds = LAYERS.iter().map(|kind| kind.id);
    let kinds: Vec<&'static str> = kinds.chain(["repeat"]).collect();
    let number = prop_oneof![0_i64..6, -1_i64..5_000];
    let keys = [
        "out_channels",
        "kernel",
        "stride",
        "units",
        "size",
        "groups",
        "dilation",
    ];
    let fields = prop::collection::vec((prop::sample::select(keys.to_vec()), number), 0..3);
    let node = (
        prop::sample::select(kinds),
        fields,
        prop::option::of(0_usize..6),
    );
    let nodes = prop::collection::vec(node, 0..7);
    let side = prop_oneof![0_usize..40, Just(usize::MAX)];
    (nodes, [0_usize..5, 0..40, 0..40], side, 0_usize..12).prop_map(
        |(nodes, input, side, classes)| {
            let nodes: Vec<Value> = nodes
                .into_iter()
                .enumerate()
                .map(|(index, (kind, fields, from))| {
                    let mut node = json!({ "id": format!("n{index}"), "kind": kind });
                    for (key, value) in fields {
                        node[key] = json!(value);
                    }
                    if kind == "repeat" && node.get("stride").is_none() {
                        node["times"] = json!(index + 1);
                        node["nodes"] = json!([{ "kind": "relu" }, { "kind": "add", "inputs": ["input", "relu1"] }]);
                    }
                    if let Some(from) = from {
                        node["inputs"] = json!([format!("n{from}"), "input"]);
                    }
                    node
                })
                .collect();
            let input = if side > 36 {
                [input[0], side, 3]
            } else {
                input
            };
            let spec = json!({ "name": "any", "input": input, "classes": classes, "nodes": nodes });
            serde_json::from_value(spec).unwrap()
        },
    )
}

proptest! {
    #[test]
    fn any_description_round_trips_and_never_panics(spec in any_spec()) {
        let text = serde_json::to_string(&spec).unwrap();
        prop_assert_eq!(&NetworkSpec::from_json(&text).unwrap(), &spec);
        if let Ok(network) = Network::new(&spec) {
            prop_assert_eq!(network.layers.len(), spec.expanded().unwrap().nodes.len() + 1);
        }
    }
}
