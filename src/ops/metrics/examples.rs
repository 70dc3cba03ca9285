//! Registry entries and examples of the counting ops.

use crate::graph::{Example, OpInfo};
use crate::ops::testing::{nan, wave};
use crate::tensor::{Spec, Tensor};

use super::{
    ADVANCE_SHADER, CONFUSION_SHADER, RECORD_SHADER, TALLY_SHADER, advance, confusion, record,
    tally,
};

fn counters(step: u32) -> (Spec, Vec<u32>) {
    (Spec::u32([4]), vec![step, 1, 0, 0])
}

pub(in crate::ops) const ADVANCE_INFO: OpInfo = OpInfo {
    name: "advance",
    doc: "Counts a step.",
    shaders: &[("advance", ADVANCE_SHADER)],
    examples: || {
        vec![
            Example::new("one step", Vec::new(), |g, x| advance(g, x[0]))
                .with_words(vec![counters(41)])
                .forward_only(),
        ]
    },
};

pub(in crate::ops) const RECORD_INFO: OpInfo = OpInfo {
    name: "record",
    doc: "Remembers the loss and accuracy of a step, and counts it.",
    shaders: &[("record", RECORD_SHADER)],
    examples: || {
        let example = |name, rows, losses: Tensor, step| {
            let corrects = wave(
                <[usize; 1]>::try_from(losses.shape().dims()).unwrap_or([1]),
                0.5,
            );
            Example::new(
                name,
                vec![wave([rows, 4], 0.1), losses, corrects],
                |g, x| record(g, x[0], x[1], x[2], x[3]),
            )
            .with_words(vec![counters(step)])
            .forward_only()
        };
        vec![
            example("wrapped around", 3, wave([7], 0.4), 7),
            example("one row", 1, wave([1], 0.4), 5),
            example("not a number", 2, nan([3]), 1),
        ]
    },
};

pub(in crate::ops) const TALLY_INFO: OpInfo = OpInfo {
    name: "tally",
    doc: "Adds a batch's losses and hits to an evaluation's totals.",
    shaders: &[("tally", TALLY_SHADER)],
    examples: || {
        let example = |name, losses, indices: Vec<u32>| {
            let n = indices.len();
            Example::new(
                name,
                vec![wave([4], 0.1), losses, wave([n], 1.0)],
                |g, x| tally(g, x[0], x[1], x[2], x[3], 10),
            )
            .with_words(vec![(Spec::u32([n]), indices)])
            .forward_only()
        };
        vec![
            example("with rows past the end", wave([4], 0.3), vec![8, 9, 10, 11]),
            example("one row", wave([1], 0.3), vec![0]),
            example("not a number", nan([3]), vec![1, 2, 3]),
        ]
    },
};

pub(in crate::ops) const CONFUSION_INFO: OpInfo = OpInfo {
    name: "confusion",
    doc: "Counts which label was taken for which class.",
    shaders: &[("confusion", CONFUSION_SHADER)],
    examples: || {
        let example = |name, logits, labels: Vec<u32>, indices| {
            let n = labels.len();
            Example::new(name, vec![logits], |g, x| {
                confusion(g, x[1], x[0], x[2], x[3], 10)
            })
            .with_words(vec![
                (Spec::u32([3, 3]), (0..9).collect()),
                (Spec::u32([n]), labels),
                (Spec::u32([n]), indices),
            ])
            .forward_only()
        };
        vec![
            example(
                "with a row past the end",
                wave([4, 3], 0.3),
                vec![0, 1, 1, 2],
                vec![7, 8, 9, 10],
            ),
            example("one row", wave([1, 3], 0.9), vec![2], vec![0]),
            example("not a number", nan([2, 3]), vec![0, 1], vec![0, 1]),
        ]
    },
};
