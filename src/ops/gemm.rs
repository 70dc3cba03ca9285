//! The form of matrix products and convolutions for GPUs: one product through workgroup memory, of whose operands a
//! second text says where they lie (implicit GEMM, Chetlur et al. 2014, "cuDNN: Efficient primitives for deep learning").
//! [`Gemm::tiled`] chooses the block of a workgroup and writes the text; a kernel carries it beside the form
//! without workgroup memory, which suits software adapters.

use crate::program::{GROUP, IDENTITY, Tiled, wgsl_with, workgroups};

/// A product `[rows, terms] x [terms, columns]`, `layers` times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gemm {
    /// Rows of a layer.
    pub(super) rows: usize,
    /// Columns of a layer.
    pub(super) columns: usize,
    /// Independent products: groups, phases, chunks of the sum.
    pub(super) layers: usize,
    /// Neighboring words of the first operand are terms of one row, not rows of one term.
    pub(super) a_by_terms: bool,
    /// Neighboring words of the second operand are terms of one column, not columns of one term.
    pub(super) b_by_terms: bool,
}

/// What one workgroup computes, in quads of rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    /// Threads along the columns; there are [`GROUP`] in all.
    across: usize,
    /// Quads of rows of a thread.
    row_quads: usize,
    /// Quads of columns of a thread.
    column_quads: usize,
}

const THREADS: usize = GROUP as usize;

/// Elements of a quad.
const QUAD: usize = 4;

impl Block {
    fn all() -> impl Iterator<Item = Self> {
        let quads = [(2, 2), (2, 1), (1, 2), (1, 1)];
        [2, 4, 8].into_iter().flat_map(move |across| {
            quads.map(|(row_quads, column_quads)| Self {
                across,
                row_quads,
                column_quads,
            })
        })
    }

    fn down(self) -> usize {
        THREADS / self.across
    }

    fn rows(self) -> usize {
        self.down() * self.row_quads * QUAD
    }

    fn columns(self) -> usize {
        self.across * self.column_quads * QUAD
    }

    /// Terms in workgroup memory at a time, of which WebGPU grants 16 KiB; the more, the fewer barriers.
    fn depth(self) -> usize {
        match self.rows() + self.columns() <= 128 {
            true => 16,
            false => 8,
        }
    }

    /// Quads of workgroup memory.
    fn pool(self) -> usize {
        self.depth() * (self.rows() / QUAD + 1 + self.columns() / QUAD + 1)
    }

    /// Workgroups of `gemm`.
    fn count(self, gemm: &Gemm) -> usize {
        gemm.rows.div_ceil(self.rows()) * gemm.columns.div_ceil(self.columns()) * gemm.layers
    }

    /// Time of `gemm` in multiply-adds of one thread per term: those of a workgroup, with what its threads read from
    /// workgroup memory and bring there, as often as workgroups have to wait for each other. Fewer workgroups than a
    /// GPU runs at once leave it idle, so that smaller blocks win.
    ///
    /// The weights follow from instruction counts and the literature (`benches/README.md`); they are not measured.
    fn cost(self, gemm: &Gemm) -> usize {
        /// Workgroups of 64 threads that a GPU runs at once: between a phone's 16 and a server's 500.
        const AT_ONCE: usize = 128;
        /// Cost of an element's way from memory, by its address and its two copies.
        const LOAD: usize = 6;
        let (rows, columns) = (QUAD * self.row_quads, QUAD * self.column_quads);
        let brought = LOAD * (self.rows() + self.columns()) / THREADS;
        (rows * columns + rows + columns + brought) * self.count(gemm).max(AT_ONCE)
    }
}

/// How a workgroup's threads share the loading of one operand: `quads` quads of its rows (or columns) times `terms` terms
/// each, so far apart.
#[derive(Debug, Clone, Copy)]
struct Share {
    quads: usize,
    quads_apart: usize,
    terms: usize,
    terms_apart: usize,
}

impl Share {
    fn new(by_terms: bool, depth: usize, quads: usize) -> Self {
        if by_terms {
            let quads_apart = THREADS / depth;
            return Self {
                quads: quads.div_ceil(quads_apart),
                quads_apart,
                terms: 1,
                terms_apart: depth,
            };
        }
        let terms_apart = THREADS / quads;
        Self {
            quads: 1,
            quads_apart: quads,
            terms: depth.div_ceil(terms_apart),
            terms_apart,
        }
    }
}

impl Gemm {
    /// The kernel called `name` whose operands are those of `source`, with `constants` for both texts.
    pub(super) fn tiled(
        &self,
        name: &'static str,
        source: &str,
        constants: &[(&'static str, usize)],
    ) -> Tiled {
        let block = self.block();
        let (depth, row_quads) = (block.depth(), block.rows() / QUAD);
        let column_quads = block.columns() / QUAD;
        let a = Share::new(self.a_by_terms, depth, row_quads);
        let b = Share::new(self.b_by_terms, depth, column_quads);
        let spares = depth * column_quads < THREADS;
        let mut all = constants.to_vec();
        all.extend([
            ("ROWS", self.rows),
            ("COLUMNS", self.columns),
            ("LAYERS", self.layers),
            ("BLOCK_ROWS", block.rows()),
            ("BLOCK_COLUMNS", block.columns()),
            ("THREAD_ROWS", block.down()),
            ("THREAD_COLUMNS", block.across),
            ("DEPTH", depth),
            ("pool", block.pool()),
            ("row_quads", block.row_quads),
            ("column_quads", block.column_quads),
            ("a_by_terms", usize::from(self.a_by_terms)),
            ("a_by_rows", usize::from(!self.a_by_terms)),
            ("b_by_terms", usize::from(self.b_by_terms)),
            ("b_by_columns", usize::from(!self.b_by_terms)),
            ("a_quads", a.quads),
            ("a_quads_apart", a.quads_apart),
            ("a_terms", a.terms),
            ("a_terms_apart", a.terms_apart),
            ("b_quads", b.quads),
            ("b_quads_apart", b.quads_apart),
            ("b_terms", b.terms),
            ("b_terms_apart", b.terms_apart),
            ("b_spares", usize::from(spares)),
        ]);
        if spares {
            all.push(("B_LOADS", depth * column_quads));
        }
        Tiled {
            name,
            wgsl: wgsl_with(&all, &format!("{SHADER}{source}{IDENTITY}")),
            workgroups: workgroups(block.count(self)),
        }
    }

    /// The cheapest block.
    fn block(&self) -> Block {
        let cheapest = Block::all().min_by_key(|block| block.cost(self));
        cheapest.expect("there are blocks to choose from")
    }
}

pub(super) const SHADER: &str = crate::wgsl!("../../shaders/gemm.wgsl");

#[cfg(test)]
mod tests {
    use super::{Block, Gemm};

    fn product(rows: usize, columns: usize) -> Gemm {
        Gemm {
            rows,
            columns,
            layers: 1,
            a_by_terms: true,
            b_by_terms: false,
        }
    }

    #[test]
    fn blocks_are_large_where_there_are_enough_and_narrow_where_channels_are_few() {
        for (rows, columns, expected) in [
            (32 * 32 * 128, 64, [64, 64]),
            (32 * 32 * 128, 16, [256, 16]),
            (28 * 28 * 128, 6, [256, 8]),
            (64, 120, [32, 32]),
        ] {
            let block = product(rows, columns).block();
            let found = [block.rows(), block.columns()];
            assert_eq!(found, expected, "{rows} x {columns}: {block:?}");
        }
    }

    #[test]
    fn every_block_fits_webgpus_workgroup_memory() {
        for block in Block::all() {
            assert!(16 * block.pool() <= 16_384, "{block:?}");
            // Each thread has something to load.
            assert!(block.depth() * block.rows() / 4 >= 64, "{block:?}");
        }
    }
}
