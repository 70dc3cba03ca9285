//! Kernels that take runs of rows channel by channel and combine what they find: statistics and sums of batch
//! normalization, and what merges them. On a software adapter each thread has a run of one channel to itself; on
//! a GPU the threads of a workgroup share one, neighbors taking neighboring channels.

use crate::program::{Args, GROUP, Kernel, Run, Tiled, Twin, wgsl_with, workgroups};

/// Such a kernel's extents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes {
    rows: usize,
    channels: usize,
    /// Rows of a run for one thread, and for a workgroup.
    runs: [usize; 2],
}

impl Lanes {
    /// For parts of the statistics of `rows` rows: one for each chunk of [`statistics_chunks`].
    pub(super) fn parts(rows: usize, channels: usize) -> Self {
        let (chunk, _) = statistics_chunks(rows);
        Self {
            rows,
            channels,
            runs: [chunk; 2],
        }
    }

    /// For one row that merges the parts of all `rows` rows.
    pub(super) fn merge(rows: usize, channels: usize) -> Self {
        Self {
            rows,
            channels,
            runs: [rows; 2],
        }
    }

    /// For all `rows` rows, by threads that first merge the parts: each has at least as many rows as parts.
    pub(super) fn merging(rows: usize, channels: usize) -> Self {
        let (_, chunks) = statistics_chunks(rows);
        let lanes = GROUP as usize / block(channels);
        let pooled = chunks.div_ceil(lanes).max(16) * lanes;
        Self {
            rows,
            channels,
            runs: [2 * chunks.max(8), pooled],
        }
    }

    /// The kernel `name` from `source`, which may end with the identity tail.
    pub(super) fn kernel(
        self,
        name: &'static str,
        source: &str,
        constants: &[(&'static str, usize)],
        n_reads: usize,
        twin: Twin,
    ) -> Kernel {
        let (block, [alone, pooled]) = (block(self.channels), self.runs);
        let shared = [("ROWS", self.rows), ("CHANNELS", self.channels)];
        let blocks = self.channels.div_ceil(block);
        let constants = |own: &[(&'static str, usize)]| [&shared, constants, own].concat();
        let source = |head: &str| format!("{head}{source}");
        let tiled = Tiled {
            name,
            wgsl: wgsl_with(
                &constants(&[
                    ("RUN", pooled),
                    ("BLOCK", block),
                    ("BLOCKS", blocks),
                    ("LANES", GROUP as usize / block),
                ]),
                &source(POOLED),
            ),
            workgroups: workgroups(self.rows.div_ceil(pooled) * blocks),
        };
        let threads = self.rows.div_ceil(alone) * self.channels;
        let constants = constants(&[("RUN", alone)]);
        let twin = move |args: &mut Args<'_>| twin(args);
        Kernel::linear(name, &source(ALONE), &constants, n_reads, threads, twin)
            .with_tiled(Some(tiled))
    }

    /// What a workgroup of threads for themselves reads of the rows at binding 0, where it takes all channels of them.
    pub(super) fn run(self) -> Option<Run> {
        let is_whole = (GROUP as usize).is_multiple_of(self.channels.max(1));
        is_whole.then_some(Run {
            binding: 0,
            elements: GROUP as usize * self.runs[0],
        })
    }
}

/// Neighboring channels of a workgroup.
fn block(channels: usize) -> usize {
    channels.clamp(1, GROUP as usize)
}

/// How the rows of a channel are cut for statistics: rows per chunk, and the number of chunks. Fewer than for
/// other sums ([`super::sum::chunk_rows`]), because many threads merge all of them. In chunks of 64 rows, one for each
/// thread, a workgroup has as many elements as one of a convolution with 64 sums a thread, which can go on with them; one
/// with more sums goes on with several.
pub(super) fn statistics_chunks(rows: usize) -> (usize, usize) {
    let chunk = rows.div_ceil(256).max(64);
    (chunk, rows.div_ceil(chunk))
}

pub(super) const ALONE: &str = crate::wgsl!("../../shaders/lanes_alone.wgsl");
pub(super) const POOLED: &str = crate::wgsl!("../../shaders/lanes_pooled.wgsl");
