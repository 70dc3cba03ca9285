//! Exchange of two neighboring runs of axes: flattening in the order of other frameworks, channel
//! shuffles, and the turn between NHWC and NCHW on the device.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Shape, Spec};

use super::testing::{nan, wave};

/// `[outer, rows, columns]` to `[outer, columns, rows]`.
#[derive(Debug, Clone)]
struct Transpose {
    factors: [usize; 3],
    shape: Shape,
    /// Whether threads go by the input's elements. Forward they do, as poolings before them, and backward
    /// not, as unpoolings behind them: either way one launch takes both.
    scatters: bool,
}

/// Transposes `x`, seen as `[outer, rows, columns] = factors`, to `[outer, columns, rows]`; the
/// result has `shape`.
///
/// # Errors
/// When `factors` or `shape` do not multiply to the number of elements.
pub fn transpose(
    graph: &mut Graph,
    x: ValueId,
    factors: [usize; 3],
    shape: impl Into<Shape>,
) -> Result<ValueId> {
    let op = Transpose {
        factors,
        shape: shape.into(),
        scatters: true,
    };
    graph.push(op, &[x])
}

impl Op for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("transpose", inputs)?;
        let found = expect_dtype("transpose", x, DType::F32)?.elements();
        let elements: usize = self.factors.iter().product();
        if elements != found || elements == 0 || self.shape.elements() != elements {
            let expected = format!("the elements of {:?} and {}", self.factors, self.shape);
            return Err(Error::mismatch("transpose", expected, x.to_string()));
        }
        Ok(Spec::f32(self.shape.clone()))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let [outer, rows, columns] = self.factors;
        let shape = b.graph.shape(b.inputs[0]).clone();
        let op = Self {
            factors: [outer, columns, rows],
            shape,
            scatters: !self.scatters,
        };
        Ok(vec![Some(b.graph.push(op, &[b.dy])?)])
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let [outer, rows, columns] = self.factors;
        let twin = move |args: &mut Args<'_>| {
            let x = args.read(0).chunks_exact(rows * columns);
            let y = args.write(0).chunks_exact_mut(rows * columns);
            for (x, y) in x.zip(y) {
                for (column, y) in y.chunks_exact_mut(rows).enumerate() {
                    for (row, y) in y.iter_mut().enumerate() {
                        *y = x[row * columns + column];
                    }
                }
            }
        };
        let constants = [
            ("OUTER", outer),
            ("ROWS", rows),
            ("COLUMNS", columns),
            ("scatters", usize::from(self.scatters)),
            ("gathers", usize::from(!self.scatters)),
        ];
        let threads = output.shape.elements();
        let kernel = Kernel::tailed("transpose", SHADER, &constants, 1, threads, twin);
        Lowering::single(kernel, 1)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/transpose.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "transpose",
    doc: "Exchange of two neighboring runs of axes.",
    shaders: &[("transpose", SHADER)],
    examples: || {
        let turned = |g: &mut Graph, x: &[ValueId]| transpose(g, x[0], [2, 6, 4], [2, 4, 2, 3]);
        let one = |g: &mut Graph, x: &[ValueId]| transpose(g, x[0], [1, 1, 1], [1]);
        vec![
            Example::new("nhwc to nchw", vec![wave([2, 2, 3, 4], 0.1)], turned),
            Example::new("one element", vec![wave([1], 0.1)], one),
            Example::new("not a number", vec![nan([2, 2, 3, 4])], turned).forward_only(),
        ]
    },
};
