//! Copies a value word by word: what the compiler falls back on where a value must lie in two
//! places.

use crate::error::Result;
use crate::graph::{Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::Spec;

use super::testing::{nan, wave};

/// `y = x`.
#[derive(Debug, Clone, Copy)]
struct Copy;

/// Copies `x`.
///
/// # Errors
/// Never for a value of this graph.
pub fn copy(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    graph.push(Copy, &[x])
}

/// The kernel that copies `words` words.
pub fn copy_kernel(words: usize) -> Kernel {
    Kernel::linear(
        "copy",
        SHADER,
        &[("WORDS", words)],
        1,
        words,
        |args: &mut Args<'_>| {
            let x = args.read_words(0);
            args.write_words(0).copy_from_slice(x);
        },
    )
}

impl Op for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("copy", inputs)?;
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        Ok(vec![Some(b.dy)])
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        Lowering::single(copy_kernel(output.shape.elements()), 1)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/copy.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "copy",
    doc: "A copy of a value.",
    shaders: &[("copy", SHADER)],
    examples: || {
        vec![
            Example::new("matrix", vec![wave([3, 5], 0.1)], |g, x| copy(g, x[0])),
            Example::new("one element", vec![wave([1], 0.2)], |g, x| copy(g, x[0])),
            Example::new("not a number", vec![nan([6])], |g, x| copy(g, x[0])).forward_only(),
        ]
    },
};
