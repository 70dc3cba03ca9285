//! Softmax over the rows of a matrix: class probabilities and attention weights.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::add::add;
use super::mul::mul;
use super::sum::sum;
use super::testing::{nan, wave};

/// `y[n, c] = exp(x[n, c]) / sum over k of exp(x[n, k])`.
#[derive(Debug, Clone, Copy)]
struct Softmax;

/// The softmax of each row of `x` `[n, c]`, with the row's maximum taken off first so that nothing
/// overflows.
///
/// # Errors
/// When `x` is not a float matrix.
pub fn softmax(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    graph.push(Softmax, &[x])
}

impl Op for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("softmax", inputs)?;
        let [_, classes] = expect_dtype("softmax", x, DType::F32)?.two("softmax")?;
        if classes == 0 {
            return Err(Error::mismatch(
                "softmax",
                "at least one class",
                x.to_string(),
            ));
        }
        Ok(x.clone())
    }

    /// `dx = y (dy - sum over the row of dy y)`.
    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let [rows, classes] = b.graph.shape(b.output).two("softmax")?;
        let weighted = mul(b.graph, b.dy, b.output)?;
        let negated = sum(b.graph, weighted, [rows, classes, 1], [rows], -1.0)?;
        let centered = add(b.graph, b.dy, negated)?;
        Ok(vec![Some(mul(b.graph, centered, b.output)?)])
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let classes = output.shape.last();
        let rows = output.shape.elements() / classes;
        let constants = [("ROWS", rows), ("CLASSES", classes)];
        let twin = move |args: &mut Args<'_>| {
            let x = args.read(0).chunks_exact(classes);
            for (y, x) in args.write(0).chunks_exact_mut(classes).zip(x) {
                let largest = maximum(x);
                let mut total = 0.0;
                for (y, x) in y.iter_mut().zip(x) {
                    *y = (x - largest).exp();
                    total += *y;
                }
                y.iter_mut().for_each(|y| *y /= total);
            }
        };
        let kernel = Kernel::linear("softmax", SHADER, &constants, 1, rows, twin);
        Lowering::single(kernel, 1)
    }
}

/// The largest of `row`; a NaN counts only where it comes first.
pub(super) fn maximum(row: &[f32]) -> f32 {
    row[argmax(row)]
}

/// The index of the first of the largest numbers of `row`; a NaN counts only where it comes first.
pub(super) fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (k, x) in row.iter().enumerate() {
        if *x > row[best] {
            best = k;
        }
    }
    best
}

const SHADER: &str = crate::wgsl!("../../shaders/softmax.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "softmax",
    doc: "Rows of scores as rows of probabilities.",
    shaders: &[("softmax", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| softmax(g, x[0]);
        vec![
            Example::new("rows", vec![wave([3, 5], 0.1)], build),
            Example::new("one class", vec![wave([2, 1], 0.1)], build),
            Example::new("not a number", vec![nan([4, 3])], build).forward_only(),
        ]
    },
};
