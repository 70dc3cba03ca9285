//! Scaled sums over one run of axes, and their transpose, scaled broadcasts. Global average pooling,
//! bias gradients, means and losses are all this op: the tensor is seen as `[outer, reduce, inner]`
//! and the middle is summed.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{Shape, Spec};

use super::rows::add_rows;
use super::testing::{nan, wave};

/// `y[o, i] = scale * sum_r x[o, r, i]`.
#[derive(Debug, Clone)]
struct Sum {
    factors: [usize; 3],
    shape: Shape,
    scale: f32,
}

/// `y[o, r, i] = scale * x[o, i]`.
#[derive(Debug, Clone)]
struct Broadcast(Sum);

/// Sums `x`, seen as `[outer, reduce, inner] = factors`, over the middle and multiplies by `scale`;
/// the result has `shape` (of `outer * inner` elements).
///
/// # Errors
/// When `factors` or `shape` do not multiply to the numbers of elements.
pub fn sum(
    graph: &mut Graph,
    x: ValueId,
    factors: [usize; 3],
    shape: impl Into<Shape>,
    scale: f32,
) -> Result<ValueId> {
    graph.push(
        Sum {
            factors,
            shape: shape.into(),
            scale,
        },
        &[x],
    )
}

/// Repeats `x`, seen as `[outer, inner]`, along the middle of `[outer, reduce, inner] = factors` and
/// multiplies by `scale`; the result has `shape`.
///
/// # Errors
/// When `factors` or `shape` do not multiply to the numbers of elements.
pub fn broadcast(
    graph: &mut Graph,
    x: ValueId,
    factors: [usize; 3],
    shape: impl Into<Shape>,
    scale: f32,
) -> Result<ValueId> {
    graph.push(
        Broadcast(Sum {
            factors,
            shape: shape.into(),
            scale,
        }),
        &[x],
    )
}

/// The mean of all elements, shape `[1]`.
///
/// # Errors
/// When `x` has no elements.
pub fn mean(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    let n = graph.shape(x).elements();
    sum(graph, x, [1, n, 1], [1], 1.0 / n as f32)
}

impl Sum {
    fn check(&self, op: &str, input: &Spec, n_in: usize, n_out: usize) -> Result<Spec> {
        let found = input.shape.elements();
        if found != n_in || n_in == 0 {
            let expected = format!("{n_in} elements (factors {:?})", self.factors);
            return Err(Error::mismatch(op, expected, input.to_string()));
        }
        if self.shape.elements() != n_out {
            let expected = format!("an output of {n_out} elements");
            return Err(Error::mismatch(op, expected, self.shape.to_string()));
        }
        Ok(Spec::f32(self.shape.clone()))
    }
}

/// How a long reduction over `rows` is cut so that it fills a GPU: rows per chunk, and the number of
/// chunks. Depends on nothing else, so that results do not depend on the adapter.
pub(super) fn chunk_rows(rows: usize) -> (usize, usize) {
    let chunk = rows.div_ceil(MAX_CHUNKS).max(MIN_CHUNK);
    (chunk, rows.div_ceil(chunk))
}

/// Below this many rows a chunk costs more than it brings.
const MIN_CHUNK: usize = 64;
/// Above this many the sum over the chunks becomes the long one.
const MAX_CHUNKS: usize = 256;

/// Sums runs of `chunk` of the middle of `[outer, reduce, inner] = factors` and scales the sums:
/// `[outer, reduce / chunk (rounded up), inner]`.
pub fn sum_kernel(factors: [usize; 3], chunk: usize, scale: f32) -> Kernel {
    let [outer, reduce, inner] = factors;
    let chunks = reduce.div_ceil(chunk);
    let constants = [
        ("OUTER", outer),
        ("REDUCE", reduce),
        ("INNER", inner),
        ("CHUNK", chunk),
        ("SCALE_BITS", scale.to_bits() as usize),
    ];
    let twin = move |args: &mut Args<'_>| {
        let x = args.read(0).chunks_exact(reduce * inner);
        let parts = x.flat_map(|x| x.chunks(chunk * inner));
        for (y, x) in args.write(0).chunks_exact_mut(inner).zip(parts) {
            y.fill(0.0);
            add_rows(x, y);
            y.iter_mut().for_each(|y| *y *= scale);
        }
    };
    let threads = outer * chunks * inner;
    Kernel::tailed("sum", SUM_SHADER, &constants, 1, threads, twin)
}

impl Op for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("sum", inputs)?;
        let [outer, reduce, inner] = self.factors;
        self.check("sum", x, outer * reduce * inner, outer * inner)
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let shape = b.graph.shape(b.inputs[0]).clone();
        Ok(vec![Some(broadcast(
            b.graph,
            b.dy,
            self.factors,
            shape,
            self.scale,
        )?)])
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        let [outer, reduce, inner] = self.factors;
        let (chunk, chunks) = chunk_rows(reduce);
        if chunks < MIN_CHUNKS || outer * inner >= ENOUGH_THREADS {
            return Lowering::single(sum_kernel(self.factors, reduce, self.scale), 1);
        }
        let parts = Call {
            kernel: sum_kernel(self.factors, chunk, 1.0),
            bindings: vec![Slot::Input(0), Slot::Scratch(0)],
        };
        if outer == 1 && self.scale == 1.0 {
            return Lowering::Parts {
                scratch: vec![chunks * inner],
                calls: vec![parts],
                parts: 0,
                chunks,
            };
        }
        let total = Call {
            kernel: sum_kernel([outer, chunks, inner], chunks, self.scale),
            bindings: vec![Slot::Scratch(0), Slot::Output],
        };
        Lowering::Kernels {
            scratch: vec![outer * chunks * inner],
            calls: vec![parts, total],
        }
    }
}

/// Fewer chunks than this are not worth a second dispatch.
const MIN_CHUNKS: usize = 4;
/// With this many sums side by side a GPU is filled without cutting them.
const ENOUGH_THREADS: usize = 1 << 14;

impl Op for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("broadcast", inputs)?;
        let [outer, reduce, inner] = self.0.factors;
        self.0
            .check("broadcast", x, outer * inner, outer * reduce * inner)
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let shape = b.graph.shape(b.inputs[0]).clone();
        Ok(vec![Some(sum(
            b.graph,
            b.dy,
            self.0.factors,
            shape,
            self.0.scale,
        )?)])
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        let ([outer, reduce, inner], scale) = (self.0.factors, self.0.scale);
        let twin = move |args: &mut Args<'_>| {
            let x = args.read(0);
            for (k, row) in args.write(0).chunks_exact_mut(inner).enumerate() {
                let first = k / reduce * inner;
                for (y, x) in row.iter_mut().zip(&x[first..first + inner]) {
                    *y = x * scale;
                }
            }
        };
        let threads = outer * reduce * inner;
        let constants = [
            ("OUTER", outer),
            ("REDUCE", reduce),
            ("INNER", inner),
            ("SCALE_BITS", scale.to_bits() as usize),
        ];
        let kernel = Kernel::tailed("broadcast", BROADCAST_SHADER, &constants, 1, threads, twin);
        Lowering::single(kernel, 1)
    }
}

const SUM_SHADER: &str = crate::wgsl!("../../shaders/sum.wgsl");
const BROADCAST_SHADER: &str = crate::wgsl!("../../shaders/broadcast.wgsl");

pub(super) const SUM_INFO: OpInfo = OpInfo {
    name: "sum",
    doc: "Scaled sum over one run of axes.",
    shaders: &[("sum", SUM_SHADER)],
    examples: || {
        vec![
            Example::new("channels", vec![wave([2, 2, 2, 3], 0.1)], |g, x| {
                sum(g, x[0], [1, 8, 3], [3], 0.5)
            }),
            Example::new("space", vec![wave([2, 2, 2, 3], 0.2)], |g, x| {
                sum(g, x[0], [2, 4, 3], [2, 3], 0.25)
            }),
            Example::new("in chunks", vec![wave([2, 300, 3], 0.2)], |g, x| {
                sum(g, x[0], [2, 300, 3], [2, 3], 0.1)
            }),
            Example::new("all", vec![wave([7], 0.3)], |g, x| mean(g, x[0])),
            Example::new("one element", vec![wave([1], 0.4)], |g, x| mean(g, x[0])),
            Example::new("not a number", vec![nan([6])], |g, x| mean(g, x[0])).forward_only(),
        ]
    },
};

pub(super) const BROADCAST_INFO: OpInfo = OpInfo {
    name: "broadcast",
    doc: "Scaled repetition along one run of axes.",
    shaders: &[("broadcast", BROADCAST_SHADER)],
    examples: || {
        vec![
            Example::new("space", vec![wave([2, 3], 0.1)], |g, x| {
                broadcast(g, x[0], [2, 4, 3], [2, 2, 2, 3], 0.25)
            }),
            Example::new("one element", vec![wave([1], 0.2)], |g, x| {
                broadcast(g, x[0], [1, 1, 1], [1], 2.0)
            }),
            Example::new("not a number", vec![nan([3])], |g, x| {
                broadcast(g, x[0], [1, 2, 3], [2, 3], 1.0)
            })
            .forward_only(),
        ]
    },
};
