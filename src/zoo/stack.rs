//! What the architectures are written with: nodes one after another, and the checks that they share.

use serde_json::Value;

use crate::nn::fields;

use crate::error::{Error, Result};
use crate::nn::{NetworkSpec, NodeSpec};

/// The nodes of a network so far.
#[derive(Debug, Default)]
pub(super) struct Stack {
    nodes: Vec<NodeSpec>,
}

impl Stack {
    /// A node behind the last one.
    pub(super) fn add(&mut self, id: &str, kind: &str, fields: Value) {
        self.nodes.push(NodeSpec::new(id, kind, fields));
    }

    /// A node behind `inputs`.
    pub(super) fn join(&mut self, id: &str, kind: &str, inputs: &[&str], fields: Value) {
        self.nodes
            .push(NodeSpec::new(id, kind, fields).from(inputs));
    }

    /// Says that the last node takes `input` rather than the node before it.
    pub(super) fn last_takes(&mut self, input: &str) {
        if let Some(last) = self.nodes.last_mut() {
            last.inputs = vec![input.to_owned()];
        }
    }

    /// Dropout, where there is any.
    pub(super) fn dropout(&mut self, id: &str, rate: f64) {
        if rate > 0.0 {
            self.add(id, "dropout", fields!({ "rate": rate }));
        }
    }

    /// Each map's mean, and a dense layer to class scores: "average" and "fc".
    pub(super) fn average_and_classify(&mut self, dropout: f64, classes: usize) {
        self.add("average", "global_avg_pool2d", fields!({}));
        self.dropout("dropout", dropout);
        self.classify("fc", classes);
    }

    /// A dense layer to class scores.
    pub(super) fn classify(&mut self, id: &str, classes: usize) {
        let fields = fields!({ "units": classes, "init": "glorot_uniform" });
        self.add(id, "dense", fields);
    }

    /// A dense layer, a rectifier and dropout: `id`, `id` + "_relu", `id` + "_dropout".
    pub(super) fn dense_relu(&mut self, id: &str, units: usize, dropout: f64) {
        self.add(id, "dense", fields!({ "units": units }));
        self.add(&format!("{id}_relu"), "relu", fields!({}));
        self.dropout(&format!("{id}_dropout"), dropout);
    }

    /// The description.
    pub(super) fn finish(self, name: &str, input: [usize; 3], classes: usize) -> NetworkSpec {
        NetworkSpec {
            name: name.to_owned(),
            input,
            classes,
            nodes: self.nodes,
        }
    }
}

/// Refuses images with a side below `side`; `why` says what they go through.
pub(super) fn at_least(name: &str, input: [usize; 3], side: usize, why: &str) -> Result<()> {
    let [_, h, w] = input;
    if h.min(w) >= side {
        return Ok(());
    }
    let expected = format!("an image of at least {side} x {side} pixels ({why})");
    Err(Error::mismatch(name, expected, format!("{h} x {w}")))
}

/// `maps` times `width`, to the next multiple of 8 that is not more than a tenth smaller: how the
/// mobile networks are made wider (`_make_divisible` of Sandler et al.'s code).
pub(super) fn widened(maps: usize, width: f64) -> usize {
    let wanted = maps as f64 * width;
    let rounded = ((wanted + 4.0) as usize / 8 * 8).max(8);
    if (rounded as f64) < 0.9 * wanted {
        rounded + 8
    } else {
        rounded
    }
}

/// A share of the rate `last` at block `done` of `blocks`, to four digits: a description is for people, and so short
/// a number is read back as it was written.
pub(super) fn share_of(last: f64, done: usize, blocks: usize) -> f64 {
    (last * done as f64 / blocks as f64 * 1e4).round() / 1e4
}
