//! The gradients that the network map shows live, held against differences of the loss that are measured here by
//! moving pixels and weights, and against what is known by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/small_lab.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "whole datasets are not looked at here"
)]
mod small_lab;

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::web::messages::{Tile, TileKind};
use convscope::web::{Lab, Mode};
use pollster::block_on;
use serde_json::{Value, json};

use small_lab::{edit, lab_of, parameter};

const IMAGE: usize = 3;

/// A small network, and the image that is probed with its class.
fn probed() -> (Lab<Cpu>, Vec<f32>, usize) {
    let nodes = json!([
        { "id": "conv", "kind": "conv2d", "out_channels": 4, "kernel": 5, "stride": 3 },
        { "id": "relu", "kind": "relu" },
        { "id": "conv2", "kind": "conv2d", "out_channels": 3, "kernel": 3 },
        { "id": "tanh", "kind": "tanh" },
        { "id": "flat", "kind": "flatten" },
        { "id": "fc", "kind": "dense", "units": 10 },
    ]);
    let mut lab = lab_of(&nodes, 12);
    let (image, class) = lab.example(IMAGE, Some("test")).unwrap();
    lab.set_probe(image.clone(), Some(class)).unwrap();
    block_on(lab.look_at_gradients(true)).unwrap();
    lab.run_probe().unwrap();
    (lab, image, class)
}

/// The cells of a tile, row by row, and the pairs of its range.
fn shown(lab: &Lab<Cpu>, tile: &Value) -> (Vec<f32>, Vec<f32>) {
    let mut all = json!({ "x": 0, "y": 0, "width": 8, "height": 8 });
    for (key, value) in tile.as_object().unwrap() {
        all[key] = value.clone();
    }
    let tile: Tile = serde_json::from_value(all).unwrap();
    let group = lab.resolve(&[tile]).unwrap().remove(0);
    assert_eq!(group.mode, Mode::Symmetric);
    let read = |(buffer, view): &(_, convscope::program::View)| -> Vec<f32> {
        let words = block_on(Cpu::new().read(buffer, view.offset, view.words)).unwrap();
        words.into_iter().map(f32::from_bits).collect()
    };
    let (source, ranges) = (read(&group.source), read(&group.range));
    let placed = group.tiles[0];
    let [across, down] = placed.cells;
    let cells = (0..across * down).map(|at| {
        let (x, y) = (at % across, at / across);
        source[(placed.base + x * placed.stride_x + y * placed.stride_y) as usize]
    });
    let [first, pairs] = placed.pairs.map(|n| 2 * n as usize);
    (cells.collect(), ranges[first..first + pairs].to_vec())
}

/// The cross-entropy for an image.
fn loss(lab: &Lab<Cpu>, image: Vec<f32>, class: usize) -> f64 {
    -f64::from(block_on(lab.predict(image)).unwrap()[class]).ln()
}

fn assert_near(what: &str, found: f32, measured: f64) {
    let found = f64::from(found);
    let bound = 0.02 * measured.abs() + 2e-4;
    assert!(
        (found - measured).abs() < bound,
        "{what}: {found}, measured {measured}"
    );
}

#[test]
fn gradients_of_pixels_and_scores_are_those_of_the_loss() {
    let (mut lab, image, class) = probed();
    let (pixels, ranges) = shown(
        &lab,
        &json!({ "layer": "input", "kind": "activationGradient", "unit": 0 }),
    );
    assert_eq!(pixels.len(), 28 * 28);
    let low = pixels.iter().copied().fold(f32::INFINITY, f32::min);
    let high = pixels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    assert_eq!(ranges, [low, high]);
    assert!(low < 0.0 && high > 0.0);
    let step = 0.01;
    for at in [28 * 6 + 9, 28 * 13 + 13, 28 * 20 + 15] {
        let moved = |by: f32| {
            let mut image = image.clone();
            image[at] += by;
            loss(&lab, image, class)
        };
        let measured = (moved(step) - moved(-step)) / f64::from(2.0 * step);
        assert_near(&format!("pixel {at}"), pixels[at], measured);
    }
    // By the scores it is p - y, here of each class by itself.
    let said = block_on(lab.predict(image.clone())).unwrap();
    let score = |lab: &Lab<Cpu>, unit: usize| {
        let tile = json!({ "layer": "fc", "kind": "activationGradient", "unit": unit });
        shown(lab, &tile).0[0]
    };
    for (unit, p) in said.iter().enumerate() {
        let y = f32::from(u8::from(unit == class));
        assert!((score(&lab, unit) - (p - y)).abs() < 1e-6, "class {unit}");
    }
    // A picture without a class pulls at the one that the network prefers.
    lab.set_probe(image.clone(), None).unwrap();
    lab.run_probe().unwrap();
    let best = (0..10)
        .max_by(|&a, &b| said[a].total_cmp(&said[b]))
        .unwrap();
    for (unit, p) in said.iter().enumerate() {
        let y = f32::from(u8::from(unit == best));
        assert!(
            (score(&lab, unit) - (p - y)).abs() < 1e-6,
            "class {unit} without a label"
        );
    }
    assert!(
        lab.set_probe(image, Some(10)).is_err(),
        "a class that is not there"
    );
}

#[test]
fn gradients_of_weights_are_those_of_the_loss() {
    let (mut lab, image, class) = probed();
    let step = 0.01;
    // A dense layer behind a flatten looks at whole maps.
    for (layer, inputs, taps, unit, input, tap) in [
        ("conv2", 4, 9, 0, 0, 4),
        ("conv2", 4, 9, 2, 3, 0),
        ("conv2", 4, 9, 1, 2, 7),
        ("fc", 3, 36, 7, 1, 20),
        ("fc", 3, 36, 2, 2, 35),
    ] {
        let tile = |kind: &str, input: usize| json!({ "layer": layer, "kind": kind, "unit": unit, "input": input, "scale": "unit" });
        let (cells, ranges) = shown(&lab, &tile("kernelGradient", input));
        assert_eq!((cells.len(), ranges.len()), (taps, 2));
        // PyTorch's order: unit, input, row, column.
        let weight = format!("{layer}.weight");
        let first = (unit * inputs + input) * taps;
        let (weights, _) = shown(&lab, &tile("kernel", input));
        assert_eq!(weights, parameter(&lab, &weight).to_vec()[first..][..taps]);
        // The unit's own range is over all its slices.
        let slices = (0..inputs).flat_map(|input| shown(&lab, &tile("kernelGradient", input)).0);
        let all: Vec<f32> = slices.collect();
        let low = all.iter().copied().fold(f32::INFINITY, f32::min);
        let high = all.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(ranges, [low, high]);
        let mut moved = |by: f32| {
            edit(&mut lab, &weight, |weights| weights[first + tap] += by);
            loss(&lab, image.clone(), class)
        };
        let measured = (moved(step) - moved(-2.0 * step)) / f64::from(2.0 * step);
        moved(step);
        assert_near(
            &format!("{layer} unit {unit}, input {input}, tap {tap}"),
            cells[tap],
            measured,
        );
    }
}

#[test]
fn ranges_follow_what_is_shown_and_nothing_is_kept_that_is_not_looked_at() {
    let (mut lab, ..) = probed();
    let own = block_on(lab.ranges(TileKind::ActivationGradient)).unwrap();
    let (_, pairs) = own.iter().find(|(layer, _)| layer == "relu").unwrap();
    assert_eq!(pairs.len(), 8);
    let (cells, range) = shown(
        &lab,
        &json!({ "layer": "relu", "kind": "activationGradient", "unit": 2, "scale": "unit" }),
    );
    assert_eq!(range, pairs[4..6]);
    assert!(cells.iter().all(|x| (range[0]..=range[1]).contains(x)));
    let kernels = block_on(lab.ranges(TileKind::KernelGradient)).unwrap();
    let kernels = kernels
        .iter()
        .map(|(layer, pairs)| (layer.as_str(), pairs.len()));
    assert_eq!(
        kernels.collect::<Vec<_>>(),
        [("conv", 8), ("conv2", 6), ("fc", 20)]
    );
    // Over the whole network, the input aside.
    let (_, all) = shown(
        &lab,
        &json!({ "layer": "relu", "kind": "activationGradient", "unit": 2, "scale": "global" }),
    );
    let pairs = own[1..].iter().flat_map(|(_, pairs)| pairs).copied();
    let (low, high) = pairs.fold((0.0_f32, 0.0_f32), |(low, high), x| {
        (low.min(x), high.max(x))
    });
    let found = all.iter().fold((0.0_f32, 0.0_f32), |(low, high), x| {
        (low.min(*x), high.max(*x))
    });
    assert_eq!(found, (low, high));

    block_on(lab.look_at_gradients(false)).unwrap();
    let refused = block_on(lab.ranges(TileKind::KernelGradient)).unwrap_err();
    assert!(
        refused.to_string().contains("gradients that are looked at"),
        "{refused}"
    );
    lab.run_probe().unwrap();
    assert!(block_on(lab.ranges(TileKind::Activation)).is_ok());
}

#[test]
fn what_is_read_beside_the_pictures_is_of_them_and_costs_no_pass() {
    let (lab, image, _) = probed();
    lab.counters();
    let drawn = block_on(lab.probabilities()).unwrap();
    let ranges = block_on(lab.ranges(TileKind::Activation)).unwrap();
    assert_eq!(lab.counters().dispatches, 0.0);
    assert_eq!(block_on(lab.predict(image)).unwrap(), drawn);

    // Another image was looked at meanwhile.
    let (other, _) = lab.example(IMAGE + 1, Some("test")).unwrap();
    assert_ne!(block_on(lab.predict(other.clone())).unwrap(), drawn);
    assert_eq!(block_on(lab.probabilities()).unwrap(), drawn);
    block_on(lab.activations("conv", other)).unwrap();
    assert_eq!(block_on(lab.ranges(TileKind::Activation)).unwrap(), ranges);
}
