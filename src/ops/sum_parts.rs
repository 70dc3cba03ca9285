//! Many sums at once: partial results that several kernels left in several buffers, each added up to
//! its place in one pack. No op of its own: it is how the compiler finishes all weight gradients of a
//! step in one dispatch (`compile::parts`).

use std::sync::Arc;

use crate::program::{Access, Args, Kernel, MOST_BINDINGS, wgsl_with};

/// One sum: `chunks` parts of `words` words each, one after another from word `from` of source `source`
/// on, to be added up at word `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Index of the buffer with the parts.
    pub source: usize,
    /// First word of the first part.
    pub from: usize,
    /// Number of parts.
    pub chunks: usize,
    /// Words of a part, and of the sum.
    pub words: usize,
    /// First word of the sum.
    pub to: usize,
}

/// Buffers with parts that one dispatch can take beside its table and its output.
pub const MOST_SOURCES: usize = MOST_BINDINGS - 2;

/// Threads of a workgroup, which share one row of the table.
const GROUP: usize = 64;

/// Words of a row: source, from, chunks, words of a part, to, number of sums.
const ROW: usize = 6;

/// What the kernel needs to know of `segments`: one row for every 64 sums.
pub fn sum_parts_table(segments: &[Segment]) -> Vec<u32> {
    let mut table = Vec::new();
    for segment in segments {
        for first in (0..segment.words).step_by(GROUP) {
            let count = GROUP.min(segment.words - first);
            let (from, to) = (segment.from + first, segment.to + first);
            let row = [
                segment.source,
                from,
                segment.chunks,
                segment.words,
                to,
                count,
            ];
            // All are indices into buffers of at most 2^26 words.
            table.extend(row.map(|word| word as u32));
        }
    }
    table
}

/// The kernel for a table of `table_words` words and `sources` buffers of parts: the buffers, then the table, then
/// the sums.
pub fn sum_parts_kernel(sources: usize, table_words: usize) -> Kernel {
    let groups = table_words / ROW;
    let twin = move |args: &mut Args<'_>| {
        let table = args.read_words(sources);
        for row in table.chunks_exact(ROW) {
            let [source, from, chunks, words, to, count] = std::array::from_fn(|i| row[i] as usize);
            let parts = &args.read(source)[from..];
            let sums = &mut args.write(0)[to..to + count];
            sums.copy_from_slice(&parts[..count]);
            for chunk in 1..chunks {
                let part = &parts[chunk * words..chunk * words + count];
                sums.iter_mut()
                    .zip(part)
                    .for_each(|(sum, part)| *sum += part);
            }
        }
    };
    let mut accesses = vec![Access::Read; sources + 1];
    accesses.push(Access::ReadWrite);
    let rows = groups.div_ceil(65_535).max(1);
    Kernel {
        name: "sum_parts",
        wgsl: wgsl_with(&[("GROUPS", groups), ("SOURCES", sources)], SHADER),
        accesses,
        // A table has far fewer rows than 2^32.
        workgroups: [groups.div_ceil(rows).max(1) as u32, rows as u32, 1],
        twin: Arc::new(twin),
    }
}

pub(super) const SHADER: &str = crate::wgsl!("../../shaders/sum_parts.wgsl");
