//! The classification loss: cross entropy between labels and the softmax of logits, taken together
//! so that neither overflows nor loses digits. With it, whether each row's largest logit is right.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Shape, Spec, Tensor};

use super::softmax::{argmax, maximum};
use super::testing::{nan, wave};

/// `y[n] = log sum over c of exp(x[n, c]) - x[n, label[n]]`.
#[derive(Debug, Clone, Copy)]
struct CrossEntropy;

/// `dx = (softmax(x) - one_hot(label)) dy`, from dy, logits and labels.
#[derive(Debug, Clone, Copy)]
struct CrossEntropyGradient;

/// 1 where the first largest logit is the label's, else 0.
#[derive(Debug, Clone, Copy)]
struct Correct;

/// The loss of each row: `logits` `[n, c]` and `labels` u32 `[n]` to `[n]`. A row whose label is none
/// of the classes has no loss and no gradient.
///
/// # Errors
/// When `logits` is not a float matrix, or `labels` are not one unsigned integer per row.
pub fn cross_entropy(graph: &mut Graph, logits: ValueId, labels: ValueId) -> Result<ValueId> {
    graph.push(CrossEntropy, &[logits, labels])
}

/// For each row 1 if its first largest logit is the label's, else 0: `[n, c]` and u32 `[n]` to `[n]`.
///
/// # Errors
/// When `logits` is not a float matrix, or `labels` are not one unsigned integer per row.
pub fn correct(graph: &mut Graph, logits: ValueId, labels: ValueId) -> Result<ValueId> {
    graph.push(Correct, &[logits, labels])
}

/// Checks logits against labels and returns rows and classes.
pub(super) fn expect_labeled(place: &str, logits: &Spec, labels: &Spec) -> Result<[usize; 2]> {
    let [rows, classes] = expect_dtype(place, logits, DType::F32)?.two(place)?;
    let expected = Spec::u32([rows]);
    if *labels != expected {
        return Err(Error::mismatch(
            place,
            format!("labels {expected}"),
            labels.to_string(),
        ));
    }
    if classes == 0 {
        return Err(Error::mismatch(
            place,
            "at least one class",
            logits.to_string(),
        ));
    }
    Ok([rows, classes])
}

/// Constants and number of rows of a kernel with one thread per row.
fn rows_of(logits: &Shape) -> ([(&'static str, usize); 2], usize) {
    // `infer` refuses matrices without classes.
    let classes = logits.last();
    let rows = logits.elements() / classes;
    ([("ROWS", rows), ("CLASSES", classes)], rows)
}

impl Op for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [logits, labels] = expect_inputs("cross_entropy", inputs)?;
        let [rows, _] = expect_labeled("cross_entropy", logits, labels)?;
        Ok(Spec::f32([rows]))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let inputs = [b.dy, b.inputs[0], b.inputs[1]];
        Ok(vec![
            Some(b.graph.push(CrossEntropyGradient, &inputs)?),
            None,
        ])
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let (constants, rows) = rows_of(&inputs[0].shape);
        let classes = inputs[0].shape.last();
        let twin = move |args: &mut Args<'_>| {
            let (x, labels) = (args.read(0).chunks_exact(classes), args.read_words(1));
            for ((y, x), &label) in args.write(0).iter_mut().zip(x).zip(labels) {
                let largest = maximum(x);
                let total: f32 = x.iter().map(|x| (x - largest).exp()).sum();
                *y = x
                    .get(label as usize)
                    .map_or(0.0, |right| total.ln() + (largest - right));
            }
        };
        let kernel = Kernel::linear("cross_entropy", SHADER, &constants, 2, rows, twin);
        Lowering::single(kernel, 2)
    }
}

impl Op for CrossEntropyGradient {
    fn name(&self) -> &'static str {
        "cross_entropy_gradient"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [_, logits, _] = expect_inputs("cross_entropy_gradient", inputs)?;
        Ok(logits.clone())
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let (constants, rows) = rows_of(&output.shape);
        let classes = output.shape.last();
        let twin = move |args: &mut Args<'_>| {
            let (dy, x) = (args.read(0), args.read(1).chunks_exact(classes));
            let rows = dy.iter().zip(x).zip(args.read_words(2));
            for (dx, ((dy, x), &label)) in args.write(0).chunks_exact_mut(classes).zip(rows) {
                let largest = maximum(x);
                let total: f32 = x.iter().map(|x| (x - largest).exp()).sum();
                let weight = if (label as usize) < classes { *dy } else { 0.0 };
                for (k, (dx, x)) in dx.iter_mut().zip(x).enumerate() {
                    let target = if k == label as usize { 1.0 } else { 0.0 };
                    *dx = ((x - largest).exp() / total - target) * weight;
                }
            }
        };
        let name = "cross_entropy_gradient";
        let kernel = Kernel::linear(name, GRADIENT_SHADER, &constants, 3, rows, twin);
        Lowering::single(kernel, 3)
    }
}

impl Op for Correct {
    fn name(&self) -> &'static str {
        "correct"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [logits, labels] = expect_inputs("correct", inputs)?;
        let [rows, _] = expect_labeled("correct", logits, labels)?;
        Ok(Spec::f32([rows]))
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let (constants, rows) = rows_of(&inputs[0].shape);
        let classes = inputs[0].shape.last();
        let twin = move |args: &mut Args<'_>| {
            let (x, labels) = (args.read(0).chunks_exact(classes), args.read_words(1));
            for ((y, x), &label) in args.write(0).iter_mut().zip(x).zip(labels) {
                *y = if argmax(x) == label as usize {
                    1.0
                } else {
                    0.0
                };
            }
        };
        let kernel = Kernel::linear("correct", CORRECT_SHADER, &constants, 2, rows, twin);
        Lowering::single(kernel, 2)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/cross_entropy.wgsl");
const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/cross_entropy_gradient.wgsl");
const CORRECT_SHADER: &str = crate::wgsl!("../../shaders/correct.wgsl");

/// Labels for the examples.
fn labels(labels: &[u32]) -> Vec<(Spec, Vec<u32>)> {
    vec![(Spec::u32([labels.len()]), labels.to_vec())]
}

pub(super) const INFO: OpInfo = OpInfo {
    name: "cross_entropy",
    doc: "Cross entropy between labels and the softmax of logits, row by row.",
    shaders: &[
        ("cross_entropy", SHADER),
        ("cross_entropy_gradient", GRADIENT_SHADER),
    ],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| cross_entropy(g, x[0], x[1]);
        let large = Tensor::from_fn([2, 3], |i| 1000.0 * i as f32);
        vec![
            Example::new("rows", vec![wave([4, 5], 0.1)], build).with_words(labels(&[3, 0, 4, 1])),
            Example::new("no such class", vec![wave([2, 3], 0.1)], build)
                .with_words(labels(&[3, 1])),
            Example::new("one class", vec![wave([1, 1], 0.1)], build).with_words(labels(&[0])),
            Example::new("large logits", vec![large], build)
                .with_words(labels(&[0, 2]))
                .forward_only(),
            Example::new("not a number", vec![nan([4, 3])], build)
                .with_words(labels(&[0, 1, 2, 0]))
                .forward_only(),
        ]
    },
};

pub(super) const CORRECT_INFO: OpInfo = OpInfo {
    name: "correct",
    doc: "Whether the first largest logit of each row is the label's.",
    shaders: &[("correct", CORRECT_SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| correct(g, x[0], x[1]);
        let tie = Tensor::from_fn([2, 3], |i| [0.0, 1.0, 1.0][i % 3]);
        vec![
            Example::new("rows", vec![wave([4, 5], 0.1)], build).with_words(labels(&[2, 4, 1, 0])),
            Example::new("tie", vec![tie], build).with_words(labels(&[1, 2])),
            Example::new("one class", vec![wave([1, 1], 0.1)], build).with_words(labels(&[0])),
            Example::new("not a number", vec![nan([4, 3])], build)
                .with_words(labels(&[0, 1, 2, 0])),
        ]
        .into_iter()
        .map(Example::forward_only)
        .collect()
    },
};
