//! Many sums at once: partial results that several kernels left in one buffer, each added up to
//! its place in one pack. No op of its own: it is how the compiler finishes all weight gradients of a
//! step in one dispatch (`compile::parts`). Thread by element, as optimizers are, so that one can go on with it.

use crate::program::{Access, Args, GROUP, Kernel, aligned};

/// One sum: `chunks` parts of `words` words each, one after another from word `from` on, to be added up at
/// word `to`, a multiple of `ALIGN_WORDS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// First word of the first part.
    pub from: usize,
    /// Number of parts.
    pub chunks: usize,
    /// Words of a part, and of the sum.
    pub words: usize,
    /// First word of the sum.
    pub to: usize,
}

/// Words that share one row of the table: those of a workgroup's threads.
const BLOCK: usize = GROUP as usize;

/// Words of a row: from, chunks, words of a part, number of sums.
const ROW: usize = 4;

/// What the kernel needs to know of `segments` in a pack of `elements` words: one row for every 64 of them.
pub fn sum_parts_table(segments: &[Segment], elements: usize) -> Vec<u32> {
    let mut table = vec![0; aligned(elements) / BLOCK * ROW];
    for segment in segments {
        for first in (0..segment.words).step_by(BLOCK) {
            let count = BLOCK.min(segment.words - first);
            let row = [segment.from + first, segment.chunks, segment.words, count];
            let at = (segment.to + first) / BLOCK * ROW;
            // All are indices into buffers of at most 2^26 words.
            table[at..at + ROW].copy_from_slice(&row.map(|word| word as u32));
        }
    }
    table
}

/// The kernel for a pack of `elements` words: from the parts and the table, the sums.
pub fn sum_parts_kernel(elements: usize) -> Kernel {
    let twin = |args: &mut Args<'_>| {
        let (parts, table) = (args.read(0), args.read_words(1));
        for (sums, row) in args.write(0).chunks_mut(BLOCK).zip(table.chunks_exact(ROW)) {
            let [from, chunks, words, count] = std::array::from_fn(|i| row[i] as usize);
            let parts = &parts[from..];
            let sums = &mut sums[..count];
            sums.copy_from_slice(&parts[..count]);
            for chunk in 1..chunks {
                let part = &parts[chunk * words..chunk * words + count];
                sums.iter_mut()
                    .zip(part)
                    .for_each(|(sum, part)| *sum += part);
            }
        }
    };
    let constants = [("ELEMENTS", elements)];
    let mut kernel = Kernel::linear("sum_parts", SHADER, &constants, 2, elements, twin);
    // What no row names stays.
    kernel.accesses[2] = Access::ReadWrite;
    kernel
}

pub(super) const SHADER: &str = crate::wgsl!("../../shaders/sum_parts.wgsl");
