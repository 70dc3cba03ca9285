//! Matrix product with either operand transposed: fully connected layers, their gradients, and
//! attention. Where the product is small and the inner extent long, the inner extent is cut into
//! chunks whose partial products a second kernel adds in a fixed order.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_dtype,
    expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::gemm::{self, Gemm};
use super::product::Product;
use super::testing::{nan, wave};
use super::tile::{MOST_SUMS, PARTIAL, Tile, Turn, cheapest, cost, is_short};
use super::window::split_reduction;

/// `y = a * b`, each operand transposed where its flag says so.
#[derive(Debug, Clone, Copy)]
struct MatMul {
    transpose_a: bool,
    transpose_b: bool,
}

/// Multiplies `a` `[m, k]` (`[k, m]` when `transpose_a`) by `b` `[k, n]` (`[n, k]` when
/// `transpose_b`): `[m, n]`.
///
/// # Errors
/// When the operands are not matrices of floats with the same inner extent.
pub fn matmul(
    graph: &mut Graph,
    a: ValueId,
    b: ValueId,
    transpose_a: bool,
    transpose_b: bool,
) -> Result<ValueId> {
    graph.push(
        MatMul {
            transpose_a,
            transpose_b,
        },
        &[a, b],
    )
}

impl MatMul {
    /// Rows, inner extent and columns.
    fn extents(&self, inputs: &[Spec]) -> Result<[usize; 3]> {
        let [a, b] = expect_inputs("matmul", inputs)?;
        let [mut m, mut k] = expect_dtype("matmul", a, DType::F32)?.two("matmul")?;
        let [mut k_of_b, mut n] = expect_dtype("matmul", b, DType::F32)?.two("matmul")?;
        if self.transpose_a {
            (m, k) = (k, m);
        }
        if self.transpose_b {
            (k_of_b, n) = (n, k_of_b);
        }
        if k != k_of_b || m * k * n == 0 {
            let expected = format!("a second operand of inner extent {k} for {a}");
            return Err(Error::mismatch("matmul", expected, b.to_string()));
        }
        Ok([m, k, n])
    }
}

impl Op for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [m, _, n] = self.extents(inputs)?;
        Ok(Spec::f32([m, n]))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let (x, w, dy) = (b.inputs[0], b.inputs[1], b.dy);
        let (t, u) = (self.transpose_a, self.transpose_b);
        let da = match (b.wanted[0], t) {
            (false, _) => None,
            (true, false) => Some(matmul(b.graph, dy, w, false, !u)?),
            (true, true) => Some(matmul(b.graph, w, dy, u, true)?),
        };
        let db = match (b.wanted[1], u) {
            (false, _) => None,
            (true, false) => Some(matmul(b.graph, x, dy, !t, false)?),
            (true, true) => Some(matmul(b.graph, dy, x, true, t)?),
        };
        Ok(vec![da, db])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        /// Columns below which a block of quads is mostly waste.
        const LEAST_COLUMNS: usize = 4;
        let Ok(extents) = self.extents(inputs) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let [m, k, n] = extents;
        let outputs = output.shape.elements();
        let [rows, columns, steps] = tile(extents);
        let blocks = m.div_ceil(rows) * n.div_ceil(columns);
        let (chunk, chunks) = chunks(extents, blocks);
        let product = Product {
            rows: m,
            inner: k,
            columns: n,
            transpose_a: self.transpose_a,
            transpose_b: self.transpose_b,
        };
        let twin = move |args: &mut Args<'_>| {
            let operands = (args.read(0), args.read(1));
            let (y, [scratch]) = args.write_with_scratch(0, [product.scratch()]);
            // One thread has no use for the parts of a sum: the first is everything.
            let (y, rest) = y.split_at_mut(outputs);
            rest.fill(0.0);
            product.run(operands, y, scratch);
        };
        let shared = [
            ("INNER", k),
            ("A_ROW", if self.transpose_a { 1 } else { k }),
            ("A_INNER", if self.transpose_a { m } else { 1 }),
            ("B_INNER", if self.transpose_b { 1 } else { n }),
            ("B_COLUMN", if self.transpose_b { k } else { 1 }),
            ("CHUNK", chunk),
        ];
        let gemm = Gemm {
            rows: m,
            columns: n,
            layers: chunks,
            a_by_terms: !self.transpose_a,
            b_by_terms: self.transpose_b,
        };
        let tiled = (n >= LEAST_COLUMNS).then(|| gemm.tiled("matmul_tiled", TILED, &shared));
        let mut constants = shared.to_vec();
        constants.extend([
            ("ROWS", m),
            ("COLUMNS", n),
            ("CHUNKS", chunks),
            ("STEPS", steps),
            ("short_column", usize::from(!m.is_multiple_of(rows))),
            ("short_row", usize::from(!n.is_multiple_of(columns))),
            ("TILE_ROWS", rows),
            ("TILE_COLUMNS", columns),
            ("whole", usize::from(chunks == 1)),
            ("split", usize::from(chunks > 1)),
        ]);
        let threads = blocks * chunks;
        if chunks == 1 {
            let kernel = Kernel::tailed("matmul", SHADER, &constants, 2, threads, twin);
            return Lowering::single(kernel.with_tiled(tiled), 2);
        }
        let kernel = Kernel::linear("matmul", SHADER, &constants, 2, threads, twin);
        let kernel = kernel.with_tiled(tiled);
        let bindings = vec![Slot::Input(0), Slot::Input(1), Slot::Scratch(0)];
        let partial = Call { kernel, bindings };
        Lowering::Parts {
            scratch: vec![chunks * outputs],
            calls: vec![partial],
            parts: 0,
            chunks,
        }
    }
}

/// Steps of a chunk of the inner extent, and the number of chunks, where the product `[rows, inner, columns]` takes so many
/// threads for each.
fn chunks([m, k, n]: [usize; 3], threads: usize) -> (usize, usize) {
    /// Steps that are worth threads of their own and a launch that adds up what they have.
    const LEAST_STEPS: usize = 256;
    split_reduction(k, LEAST_STEPS, threads, m * n)
}

/// Rows and columns of a thread, and steps of the inner extent at each turn of its loop.
fn tile(extents: [usize; 3]) -> [usize; 3] {
    let [m, k, n] = extents;
    let price = |[rows, columns, steps, ..]: Tile| {
        let turn = Turn {
            loads: (rows + columns) * steps,
            multiply_adds: rows * columns * steps,
            sums: rows * columns,
        };
        let blocks = m.div_ceil(rows) * n.div_ceil(columns);
        let (chunk, chunks) = chunks(extents, blocks);
        let is_whole = chunk.is_multiple_of(steps) && k.is_multiple_of(steps);
        let fits = is_short(turn, (m * k) as u64 * n as u64, MOST_SUMS) && is_whole;
        let partial = ((chunks - 1) * m * n) as u64 * PARTIAL;
        fits.then(|| cost(blocks * chunks, chunk / steps, turn) + partial)
    };
    let (_, [rows, columns, steps, ..]) = cheapest([m.min(16), n.min(16), k.min(4), 1, 1], &price);
    [rows, columns, steps]
}

const SHADER: &str = crate::wgsl!("../../shaders/matmul.wgsl");
const TILED: &str = crate::wgsl!("../../shaders/matmul_tiled.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "matmul",
    doc: "Matrix product with either operand transposed.",
    shaders: &[
        ("matmul", SHADER),
        ("matmul_tiled", TILED),
        ("gemm", gemm::SHADER),
    ],
    examples: || {
        let plain = |g: &mut Graph, x: &[ValueId]| matmul(g, x[0], x[1], false, false);
        let inputs = |a: [usize; 2], b: [usize; 2]| vec![wave(a, 0.1), wave(b, 0.4)];
        vec![
            Example::new("plain", inputs([5, 7], [7, 9]), plain),
            Example::new("first transposed", inputs([7, 5], [7, 3]), |g, x| {
                matmul(g, x[0], x[1], true, false)
            }),
            Example::new("second transposed", inputs([2, 7], [10, 7]), |g, x| {
                matmul(g, x[0], x[1], false, true)
            }),
            Example::new("both transposed", inputs([3, 4], [5, 3]), |g, x| {
                matmul(g, x[0], x[1], true, true)
            }),
            Example::new("long", inputs([2, 600], [600, 3]), plain),
            Example::new("one element", inputs([1, 1], [1, 1]), plain),
            Example::new("not a number", vec![nan([2, 3]), wave([3, 2], 0.4)], plain)
                .forward_only(),
        ]
    },
};
