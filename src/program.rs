//! What a backend executes, as plain data: kernels, buffers by id, and a list of dispatches. Nothing
//! here knows what a convolution is, and nothing here runs; see `compile` for who writes programs
//! and `backend` for who runs them.

mod args;
mod form;
mod launch;
mod stage;
mod template;
mod wgsl;

use std::fmt;
use std::sync::Arc;

pub use args::{Args, MAX_BINDINGS, Scratch};
pub use form::{Family, Run, Tiled};
pub use launch::{Join, Launch, Source};
pub use stage::{IDENTITY, MOST_BINDINGS, Stage};
pub use template::{MERGED_PARTS, OWN_WINDOWS};
pub use wgsl::stripped;

/// Index of a buffer within its [`Program`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub usize);

/// A range of a buffer, in 32-bit words. Offsets are multiples of [`ALIGN_WORDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct View {
    /// The buffer.
    pub buffer: BufferId,
    /// First word.
    pub offset: usize,
    /// Number of words.
    pub words: usize,
}

/// Alignment of views in words: 256 bytes, WebGPU's default storage-buffer offset alignment.
pub const ALIGN_WORDS: usize = 64;

/// `words` rounded up to the alignment of views.
pub const fn aligned(words: usize) -> usize {
    words.div_ceil(ALIGN_WORDS) * ALIGN_WORDS
}

/// What fills a buffer before the first run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// Nothing: the program writes before it reads. Shared by values whose lives do not overlap.
    Scratch,
    /// These words, uploaded once when the program is prepared.
    Constant(Arc<[u32]>),
    /// Whatever the named outside buffer holds: inputs, states, datasets.
    External(String),
}

/// A buffer that the program needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferDecl {
    /// Label for debuggers.
    pub label: String,
    /// Size in 32-bit words.
    pub words: usize,
    /// What fills it.
    pub contents: Contents,
}

/// How a kernel uses one of its bindings. Read bindings come first, then the written ones, then what a
/// tail reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// `var<storage, read>`.
    Read,
    /// `var<storage, read_write>`; every word is written, none is read before.
    Write,
    /// `var<storage, read_write>`; updated in place.
    ReadWrite,
}

/// The CPU form of a kernel: the same work on the same bindings.
pub type Twin = Arc<dyn Fn(&mut Args<'_>) + Send + Sync>;

/// A kernel specialized to its shapes: WGSL text with all numbers as constants, and its CPU twin.
#[derive(Clone)]
pub struct Kernel {
    /// The stem of its `.wgsl` file.
    pub name: &'static str,
    /// Complete WGSL with entry point `main` and `@group(0)` bindings in the order of `accesses`.
    pub wgsl: Arc<str>,
    /// One per binding.
    pub accesses: Vec<Access>,
    /// Workgroups per dimension.
    pub workgroups: [u32; 3],
    /// Its form for GPUs, if it has one.
    pub tiled: Option<Tiled>,
    /// What each workgroup of its form for software adapters has to itself, if that is known.
    pub run: Option<Run>,
    /// The same work on the CPU.
    pub twin: Twin,
}

impl Kernel {
    /// The common form: `n_reads` read bindings, one written binding, one thread per element, with
    /// `constants` in front of `source`.
    pub fn linear(
        name: &'static str,
        source: &str,
        constants: &[(&str, usize)],
        n_reads: usize,
        threads: usize,
        twin: impl Fn(&mut Args<'_>) + Send + Sync + 'static,
    ) -> Self {
        Self::one_write(
            name,
            wgsl_with(constants, source),
            n_reads,
            threads,
            Arc::new(twin),
        )
    }

    /// [`Kernel::linear`] from complete WGSL; not generic, as there are some hundred twins.
    fn one_write(
        name: &'static str,
        wgsl: Arc<str>,
        n_reads: usize,
        threads: usize,
        twin: Twin,
    ) -> Self {
        let mut accesses = vec![Access::Read; n_reads];
        accesses.push(Access::Write);
        Self {
            name,
            wgsl,
            accesses,
            workgroups: linear_workgroups(threads),
            tiled: None,
            run: None,
            twin,
        }
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("name", &self.name)
            .field("accesses", &self.accesses)
            .field("workgroups", &self.workgroups)
            .finish_non_exhaustive()
    }
}

/// Threads of a one-dimensional workgroup; every kernel that maps one thread to one element uses it.
pub const GROUP: u32 = 64;

/// Workgroups for a kernel of `threads` threads in groups of [`GROUP`], folded into two dimensions
/// where one would pass WebGPU's limit of 65,535. The kernel's thread index is
/// `id.x + id.y * groups.x * 64u` and must be checked against the number of threads.
pub fn linear_workgroups(threads: usize) -> [u32; 3] {
    workgroups(threads.div_ceil(GROUP as usize))
}

/// So many workgroups, folded as in [`linear_workgroups`]; the last row may have some too many.
pub fn workgroups(count: usize) -> [u32; 3] {
    // Buffers are bounded far below 2^38 elements, so the count fits.
    let groups = count.max(1) as u32;
    let rows = groups.div_ceil(65_535);
    [groups.div_ceil(rows), rows, 1]
}

/// WGSL with `constants` as module-scope `const NAME: u32` in front of `source`, whose loops are unrolled
/// as `program::template` says. A name in lower case is for those loops only.
pub fn wgsl_with(constants: &[(&str, usize)], source: &str) -> Arc<str> {
    let mut text = String::new();
    let is_declared =
        |(name, _): &&(&str, usize)| name.starts_with(|c: char| c.is_ascii_uppercase());
    for (name, value) in constants.iter().filter(is_declared) {
        text.push_str(&format!("const {name}: u32 = {value}u;\n"));
    }
    text.push_str(&template::expanded(constants, source));
    text.into()
}

/// One execution of a kernel.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// Index into [`Program::kernels`].
    pub kernel: usize,
    /// One view per binding.
    pub bindings: Vec<View>,
    /// How it goes with the dispatch before it.
    pub join: Join,
}

/// A complete, static sequence of dispatches over declared buffers.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Label for debuggers.
    pub label: String,
    /// Buffers by [`BufferId`].
    pub buffers: Vec<BufferDecl>,
    /// Kernels, each WGSL text once.
    pub kernels: Vec<Kernel>,
    /// In order of execution.
    pub dispatches: Vec<Dispatch>,
}

impl Program {
    /// Bytes of all buffers that the program brings itself (scratch and constants).
    pub fn own_bytes(&self) -> u64 {
        let own = |buffer: &&BufferDecl| !matches!(buffer.contents, Contents::External(_));
        self.buffers
            .iter()
            .filter(own)
            .map(|buffer| buffer.words as u64 * 4)
            .sum()
    }
}
