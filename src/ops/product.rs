//! Matrix products on the CPU: blocks of four rows and a register's width of columns are summed up in
//! registers ([`tile`]), over columns that were packed into panels before ([`panels`]), compiled for
//! what the CPU has ([`simd`]). Goto & van de Geijn 2008, "Anatomy of high-performance matrix
//! multiplication", without the parts that shapes as small as ours do not repay.
//!
//! Everything is safe Rust over arrays of constant size, which the compiler turns into vector instructions;
//! in WebAssembly they are `simd128` values by name ([`lanes`] says why). Each element is summed in one
//! order, whatever the machine's load, so results are the same on every run.

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
                    // A loop of constant length is unrolled, and the sums stay in registers.
                    for p in 0..ROWS {
                        if p >= count {
                            continue;
                        }
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

#[cfg(test)]
mod tests {
    use super::{INNER_BLOCK, Job as _, Product, Run};

    fn number(i: usize) -> f32 {
        (i * 7 % 23) as f32 * 0.1 - 1.1
    }

    /// The product with blocks of `N` columns.
    fn found<const N: usize, const FUSED: bool>(
        product: Product,
        a: &[f32],
        b: &[f32],
    ) -> Vec<f32> {
        let mut y = vec![f32::NAN; product.rows * product.columns];
        let mut scratch = vec![f32::NAN; product.scratch()];
        let (y_mut, scratch) = (&mut y[..], &mut scratch[..]);
        Run {
            product,
            a,
            b,
            y: y_mut,
            scratch,
        }
        .run::<N, FUSED>();
        y
    }

    fn expected(product: Product, a: &[f32], b: &[f32]) -> Vec<f32> {
        let Product {
            rows,
            inner,
            columns,
            transpose_a,
            transpose_b,
        } = product;
        let mut y = Vec::new();
        for (row, column) in (0..rows * columns).map(|i| (i / columns, i % columns)) {
            let term = |k: usize| {
                let a = if transpose_a {
                    a[k * rows + row]
                } else {
                    a[row * inner + k]
                };
                let b = if transpose_b {
                    b[column * inner + k]
                } else {
                    b[k * columns + column]
                };
                f64::from(a) * f64::from(b)
            };
            y.push((0..inner).map(term).sum::<f64>() as f32);
        }
        y
    }

    #[test]
    fn products_are_right_at_every_width_and_remainder() {
        for [rows, inner, columns] in [
            [1, 1, 1],
            [4, 3, 8],
            [5, 7, 9],
            [7, INNER_BLOCK + 3, 33],
            [8, 2 * INNER_BLOCK, 40],
        ] {
            for flags in 0..4 {
                let (transpose_a, transpose_b) = (flags & 1 == 1, flags & 2 == 2);
                let product = Product {
                    rows,
                    inner,
                    columns,
                    transpose_a,
                    transpose_b,
                };
                let a: Vec<f32> = (0..rows * inner).map(number).collect();
                let b: Vec<f32> = (0..inner * columns).map(number).collect();
                let expected = expected(product, &a, &b);
                for (width, found) in [
                    (8, found::<8, false>(product, &a, &b)),
                    (16, found::<16, true>(product, &a, &b)),
                    (32, found::<32, true>(product, &a, &b)),
                ] {
                    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                        let gap = (found - expected).abs();
                        assert!(
                            gap < 1e-3,
                            "{product:?} in {width} columns, element {i}: {found}, not {expected}"
                        );
                    }
                }
            }
        }
    }
}
