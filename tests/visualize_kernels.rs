//! The kernels of a unit as pictures: a convolution's, a dense layer's over maps or numbers, and those that a layer
//! behind passes on.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/small_lab.rs"]
#[expect(dead_code, reason = "whole datasets are not looked at here")]
mod small_lab;

use serde_json::json;

use small_lab::{lab_of, parameter, refusal, visualize};

#[test]
fn a_unit_that_passes_a_convolution_on_is_shown_with_its_kernels() {
    let mut lab = lab_of(
        &json!([
            { "id": "conv", "kind": "conv2d", "out_channels": 4, "kernel": 5, "stride": 3 },
            { "id": "norm", "kind": "batch_norm2d" },
            { "id": "relu", "kind": "relu" },
            { "id": "pool", "kind": "max_pool2d", "size": 2 },
            { "id": "flat", "kind": "flatten" },
            { "id": "fc", "kind": "dense", "units": 10 },
        ]),
        0,
    );
    let weights = parameter(&lab, "conv.weight").to_vec();
    let options = |layer: &str| json!({ "method": "kernels", "layer": layer, "channel": 3 });
    for layer in ["conv", "norm", "relu", "pool"] {
        let pictures = visualize(&mut lab, options(layer), None);
        assert_eq!(pictures.len(), 1, "{layer}");
        assert_eq!(pictures[0].title, "conv kernel 3");
        assert_eq!(pictures[0].data, weights[3 * 25..4 * 25], "{layer}");
        let told =
            format!("{layer} has no kernels: these are of conv, whose channels it passes on.");
        let passed = (layer != "conv").then_some(told);
        assert_eq!(pictures[0].note, passed, "{layer}");
    }
    let refused = refusal(&mut lab, options("flat"), None);
    let expected = "kernels: expected a layer with kernels, or behind one, found flat";
    assert_eq!(refused, expected);
}

#[test]
fn dense_layers_look_at_maps_or_at_numbers() {
    let mut lab = lab_of(
        &json!([
            { "id": "conv", "kind": "conv2d", "out_channels": 4, "kernel": 5, "stride": 3 },
            { "id": "flat", "kind": "flatten" },
            { "id": "drop", "kind": "dropout" },
            { "id": "fc1", "kind": "dense", "units": 48 },
            { "id": "relu", "kind": "relu" },
            { "id": "fc2", "kind": "dense", "units": 10 },
        ]),
        0,
    );
    for (layer, slices, size, title) in [
        (
            "fc1",
            4,
            [17, 17],
            "fc1 kernel 7: inputs 0 to 3, row by row",
        ),
        (
            "relu",
            4,
            [17, 17],
            "fc1 kernel 7: inputs 0 to 3, row by row",
        ),
        (
            "fc2",
            1,
            [2, 24],
            "fc2 kernel 7: inputs 0 to 47, row by row",
        ),
    ] {
        let options = json!({ "method": "kernels", "layer": layer, "channel": 7 });
        let found = visualize(&mut lab, options, None).remove(0);
        assert_eq!((found.height, found.width), (size[0], size[1]), "{layer}");
        assert_eq!(found.title, title);
        let owner = if layer == "relu" { "fc1" } else { layer };
        let weights = parameter(&lab, &format!("{owner}.weight")).to_vec();
        let inputs = weights.len() / if owner == "fc1" { 48 } else { 10 };
        let own = &weights[7 * inputs..][..inputs];
        if slices == 1 {
            assert_eq!(found.data, own);
            continue;
        }
        // Two rows of two maps, 8 x 8, with a line between.
        for (at, weight) in own.iter().enumerate() {
            let (map, row, column) = (at / 64, at / 8 % 8, at % 8);
            let (y, x) = (map / 2 * 9 + row, map % 2 * 9 + column);
            assert_eq!(found.data[y * 17 + x], *weight, "{layer} {at}");
        }
    }
}

#[test]
fn three_maps_of_a_hidden_layer_are_no_colors() {
    let mut lab = lab_of(
        &json!([
            { "id": "conv", "kind": "conv2d", "out_channels": 3, "kernel": 5, "stride": 3 },
            { "id": "flat", "kind": "flatten" },
            { "id": "fc", "kind": "dense", "units": 10 },
        ]),
        0,
    );
    let options = json!({ "method": "kernels", "layer": "fc", "channel": 0 });
    let found = visualize(&mut lab, options, None).remove(0);
    assert_eq!([found.channels, found.height, found.width], [1, 17, 17]);
}
