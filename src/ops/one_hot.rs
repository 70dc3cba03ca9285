//! Labels as rows of zeros with a single one.

use crate::error::Result;
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

/// `y[n, c]` is 1 where `c` is row `n`'s label, 0 elsewhere.
#[derive(Debug, Clone, Copy)]
struct OneHot {
    classes: usize,
}

/// `labels` u32 `[n]` as floats `[n, classes]`; a label outside of the classes gives zeros.
///
/// # Errors
/// When `labels` are not unsigned integers.
pub fn one_hot(graph: &mut Graph, labels: ValueId, classes: usize) -> Result<ValueId> {
    graph.push(OneHot { classes }, &[labels])
}

impl Op for OneHot {
    fn name(&self) -> &'static str {
        "one_hot"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [labels] = expect_inputs("one_hot", inputs)?;
        let rows = expect_dtype("one_hot", labels, DType::U32)?.elements();
        Ok(Spec::f32([rows, self.classes]))
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let (n, classes) = (output.shape.elements(), self.classes);
        let constants = [("ELEMENTS", n), ("CLASSES", classes)];
        let twin = move |args: &mut Args<'_>| {
            let labels = args.read_words(0);
            let rows = args.write(0).chunks_exact_mut(classes.max(1));
            for (row, &label) in rows.zip(labels) {
                row.fill(0.0);
                if let Some(one) = row.get_mut(label as usize) {
                    *one = 1.0;
                }
            }
        };
        Lowering::single(Kernel::linear("one_hot", SHADER, &constants, 1, n, twin), 1)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/one_hot.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "one_hot",
    doc: "Labels as rows of zeros with a single one.",
    shaders: &[("one_hot", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| one_hot(g, x[0], 3);
        let labels = |labels: &[u32]| vec![(Spec::u32([labels.len()]), labels.to_vec())];
        vec![
            Example::new("rows", vec![], build).with_words(labels(&[2, 0, 3, 1])),
            Example::new("one row", vec![], build).with_words(labels(&[1])),
        ]
        .into_iter()
        .map(Example::forward_only)
        .collect()
    },
};
