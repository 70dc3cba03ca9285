//! Matrix products on the CPU: blocks of four rows and a register's width of columns are summed up in
//! registers ([`tile`]), over columns that were packed into panels before ([`panels`]), compiled for
//! what the CPU has ([`simd`]). Goto & van de Geijn 2008, "Anatomy of high-performance matrix
//! multiplication", without the parts that shapes as small as ours do not repay.
//!
//! Everything is plain Rust over arrays of constant size, which the compiler turns into vector
//! instructions: WebAssembly's `simd128` in the browser, where this was measured against the crates
//! `matrixmultiply` and `gemm` (`benches/README.md`). Each element is summed in one order, whatever
//! the machine's load, so results are the same on every run.

mod lanes;
mod panels;
mod simd;
mod tile;

pub(super) use panels::{pack_columns, pack_rows, panel_floats};
pub(super) use simd::{Job, on_widest};
pub(super) use tile::{ROWS, Sums, each_row};

use std::ops::Range;

/// `y = a b` of one matrix product, either operand stored transposed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    /// Rows of `a` and `y`.
    pub(super) rows: usize,
    /// Columns of `a`, rows of `b`.
    pub(super) inner: usize,
    /// Columns of `b` and `y`.
    pub(super) columns: usize,
    /// `a` is stored `[inner, rows]`.
    pub(super) transpose_a: bool,
    /// `b` is stored `[columns, inner]`.
    pub(super) transpose_b: bool,
}

/// Rows of `b` that are packed at a time: a panel of them stays in the first-level cache.
const INNER_BLOCK: usize = 512;

impl Product {
    /// Floats of scratch memory that [`Self::run`] wants.
    pub(super) fn scratch(&self) -> usize {
        let inner = INNER_BLOCK.min(self.inner);
        panel_floats(inner, self.columns) + inner * ROWS
    }

    /// Multiplies `a` by `b` into `y`.
    pub(super) fn run(&self, (a, b): (&[f32], &[f32]), y: &mut [f32], scratch: &mut [f32]) {
        let job = Run {
            product: *self,
            a,
            b,
            y,
            scratch,
        };
        on_widest(self.columns, job);
    }
}

/// A product under way.
struct Run<'a> {
    product: Product,
    a: &'a [f32],
    b: &'a [f32],
    y: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Job for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const N: usize, const FUSED: bool>(self) {
        let Self {
            product,
            a,
            b,
            y,
            scratch,
        } = self;
        let Product {
            rows,
            inner,
            columns,
            ..
        } = product;
        for start in (0..inner).step_by(INNER_BLOCK) {
            let block = start..(start + INNER_BLOCK).min(inner);
            let len = block.len();
            let (panels, packed) = scratch.split_at_mut(panel_floats(len, columns));
            let panels = panels.as_chunks_mut::<N>().0;
            let lanes = || (0..columns).step_by(N);
            for (first, panel) in lanes().zip(panels.chunks_exact_mut(len)) {
                product.pack(b, &block, first, panel);
            }
            let packed = &mut packed.as_chunks_mut::<ROWS>().0[..len];
            for row in (0..rows).step_by(ROWS) {
                let count = ROWS.min(rows - row);
                if product.transpose_a {
                    pack_rows(&a[start * rows + row..], rows, count, packed);
                }
                for (first, panel) in lanes().zip(panels.chunks_exact(len)) {
                    let mut sums = Sums::<N>::zero();
                    if product.transpose_a {
                        sums.add_columns::<FUSED>(packed, panel);
                    } else {
                        let rows =
                            each_row(|p| &a[(row + p).min(rows - 1) * inner..][block.clone()]);
                        sums.add_rows::<FUSED>(rows, panel);
                    }
                    let width = N.min(columns - first);
                    for p in 0..count {
                        let y = &mut y[(row + p) * columns + first..][..width];
                        match start == 0 {
                            true => sums.write(p, y),
                            false => sums.add_to(p, y),
                        }
                    }
                }
            }
        }
    }
}

impl Product {
    /// Packs columns `first..` of these rows of `b`.
    #[inline(always)]
    fn pack<const N: usize>(
        &self,
        b: &[f32],
        rows: &Range<usize>,
        first: usize,
        panel: &mut [[f32; N]],
    ) {
        let width = N.min(self.columns - first);
        if self.transpose_b {
            let b = &b[first * self.inner + rows.start..];
            pack_columns(b, self.inner, width, panel);
        } else {
            let b = &b[rows.start * self.columns + first..];
            pack_rows(b, self.columns, width, panel);
        }
    }
}
