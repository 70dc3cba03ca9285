//! AmoebaNet-A (Real, Aggarwal, Huang & Le, "Regularized Evolution for Image Classifier Architecture Search",
//! AAAI 2019, Fig. 5): the cells that evolution found, stacked as for CIFAR. Each cell takes the outputs of the
//! two cells before it; its five pairs of operations are sums, and those sums that no other takes are its
//! output. The tables are data; the search itself is not here.
//!
//! Two things are simpler than in the authors' code, and change no count: where a skipped input has twice
//! the size, one 1x1 convolution of stride 2 halves it instead of two that see every other pixel each; and mean
//! pooling counts the zeros around the image.

use serde_json::Value;

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::nn::NetworkSpec;

use super::Architecture;
use super::stack::{Stack, at_least};

pub(super) const FULL: Architecture = Architecture {
    id: "amoebanet-a",
    name: "AmoebaNet-A",
    doc: "The cells that evolution found, as stacked for CIFAR with N = 6 and F = 36 (Real et al. 2019).",
    family: "amoebanet",
    full: true,
    input: [3, 32, 32],
    classes: 10,
    fields: || fields(6.0, 36.0),
    spec: |values, input, classes| network(&FULL, values, input, classes),
};

pub(super) const MINI: Architecture = Architecture {
    id: "mini-amoebanet",
    name: "mini-AmoebaNet",
    doc: "Five of the cells that evolution found, with few maps, after Real et al. 2019.",
    family: "amoebanet",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || fields(1.0, 8.0),
    spec: |values, input, classes| network(&MINI, values, input, classes),
};

fn fields(repeats: f64, maps: f64) -> Vec<Field> {
    let n = "Normal cells before, between and after the two reductions (N of the paper).";
    let f =
        "Maps of each operation in the first cells, doubled at each reduction (F of the paper).";
    vec![
        Field::integer("repeats", n, 1.0, 6.0, repeats),
        Field::integer("maps", f, 4.0, 48.0, maps),
    ]
}

/// An operation of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Mean,
    Max,
    /// Two separable convolutions of this side.
    Separable(usize),
    Skip,
    /// 1x7 and 7x1 convolutions.
    OneBySeven,
}

use Operation::{Max, Mean, OneBySeven, Separable, Skip};

/// Ten operations with the states they take (0 and 1: the cells before; then the sums in order); each two
/// make a sum. Then the sums that are put side by side.
type Cell = ([(Operation, usize); 10], [usize; 3]);

const NORMAL: Cell = (
    [
        (Mean, 0),
        (Max, 1),
        (Separable(3), 0),
        (Separable(5), 2),
        (Separable(3), 0),
        (Mean, 3),
        (Separable(3), 1),
        (Skip, 1),
        (Skip, 0),
        (Mean, 1),
    ],
    [4, 5, 6],
);

const REDUCTION: Cell = (
    [
        (Mean, 0),
        (Separable(3), 1),
        (Max, 0),
        (Separable(7), 2),
        (Separable(7), 0),
        (Mean, 1),
        (Max, 0),
        (Max, 1),
        (OneBySeven, 0),
        (Separable(3), 5),
    ],
    [3, 4, 6],
);

/// Adds an operation with `maps` maps behind `input` and returns its output's name.
fn operation(
    stack: &mut Stack,
    id: &str,
    operation: Operation,
    input: &str,
    maps: usize,
    stride: usize,
) -> String {
    let part = |name: &str| format!("{id}_{name}");
    let pool = fields!({ "size": 3, "stride": stride, "padding": 1 });
    match operation {
        Mean => stack.join(id, "avg_pool2d", &[input], pool),
        Max => stack.join(id, "max_pool2d", &[input], pool),
        Skip if stride == 1 => return input.to_owned(),
        Skip => {
            return conv(
                stack,
                id,
                input,
                fields!({ "kernel": 1, "stride": 2 }),
                maps,
            );
        }
        Separable(side) => {
            let mut from = input.to_owned();
            for (number, stride) in [("1", stride), ("2", 1)] {
                let name = |kind: &str| part(&format!("{kind}{number}"));
                stack.join(&name("relu"), "relu", &[&from], fields!({}));
                let fields =
                    fields!({ "kernel": side, "stride": stride, "padding": "same", "bias": false });
                stack.add(&name("depthwise"), "depthwise_conv2d", fields);
                let fields = fields!({ "out_channels": maps, "kernel": 1, "bias": false });
                stack.add(&name("pointwise"), "conv2d", fields);
                from = name("bn");
                stack.add(&from, "batch_norm2d", fields!({}));
            }
            return from;
        }
        OneBySeven => {
            stack.join(&part("relu"), "relu", &[input], fields!({}));
            let lying = fields!({ "out_channels": maps, "kernel": 1, "kernel_width": 7, "stride": 1,
                "stride_width": stride, "padding": "same", "bias": false });
            stack.add(&part("1x7"), "conv2d", lying);
            let standing = fields!({ "out_channels": maps, "kernel": 7, "kernel_width": 1, "stride": stride,
                "stride_width": 1, "padding": "same", "bias": false });
            stack.add(&part("7x1"), "conv2d", standing);
            stack.add(id, "batch_norm2d", fields!({}));
        }
    }
    id.to_owned()
}

/// ReLU, convolution, batch norm: how a cell's inputs get its number of maps.
fn conv(stack: &mut Stack, id: &str, input: &str, mut fields: Value, maps: usize) -> String {
    stack.join(&format!("{id}_relu"), "relu", &[input], fields!({}));
    fields["out_channels"] = Value::from(maps);
    fields["bias"] = Value::from(false);
    stack.add(&format!("{id}_conv"), "conv2d", fields);
    let output = format!("{id}_bn");
    stack.add(&output, "batch_norm2d", fields!({}));
    output
}

/// Adds a cell behind the two `before`, the first of which may have twice the size, and returns its name.
fn cell(
    stack: &mut Stack,
    id: &str,
    (operations, ends): &Cell,
    before: &[String; 2],
    halve: bool,
    maps: usize,
) -> String {
    let first = fields!({ "kernel": 1, "stride": if halve { 2 } else { 1 } });
    let mut states = vec![
        conv(stack, &format!("{id}_in0"), &before[0], first, maps),
        conv(
            stack,
            &format!("{id}_in1"),
            &before[1],
            fields!({ "kernel": 1 }),
            maps,
        ),
    ];
    let reduction = *operations == REDUCTION.0;
    for (number, pair) in operations.chunks(2).enumerate() {
        let mut outputs = Vec::new();
        for (side, &(kind, state)) in ["a", "b"].into_iter().zip(pair) {
            let stride = if reduction && state < 2 { 2 } else { 1 };
            let name = format!("{id}_{}{side}", number + 1);
            let input = states[state].clone();
            outputs.push(operation(stack, &name, kind, &input, maps, stride));
        }
        let sum = format!("{id}_sum{}", number + 1);
        stack.join(&sum, "add", &[&outputs[0], &outputs[1]], fields!({}));
        states.push(sum);
    }
    let ends = ends.map(|end| states[end].as_str());
    stack.join(id, "concat", &ends, fields!({}));
    id.to_owned()
}

fn network(
    entry: &Architecture,
    values: &Values,
    input: [usize; 3],
    classes: usize,
) -> Result<NetworkSpec> {
    at_least(entry.name, input, 4, "it is halved twice")?;
    let (repeats, mut maps) = (values.integer("repeats")?, values.integer("maps")?);
    let mut stack = Stack::default();
    let stem = fields!({ "out_channels": 3 * maps, "activation": "none" });
    stack.add("stem", "conv_block", stem);
    let mut before = ["stem".to_owned(), "stem".to_owned()];
    let mut halve = false;
    for number in 1..=3 * repeats + 2 {
        let reduction = number % (repeats + 1) == 0;
        let table = if reduction { &REDUCTION } else { &NORMAL };
        if reduction {
            maps *= 2;
        }
        let id = format!("cell{number}");
        let output = cell(&mut stack, &id, table, &before, halve, maps);
        let [_, last] = before;
        before = [last, output];
        halve = reduction;
    }
    stack.average_and_classify(0.0, classes);
    Ok(stack.finish(entry.name, input, classes))
}
