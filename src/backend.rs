//! Who runs programs. A [`Backend`] allocates and fills buffers, prepares a
//! [`Program`] once (pipelines, bind groups) and then runs it any number of
//! times without creating anything. It knows buffers, kernels and dispatches; it knows no op and no
//! layer. Two implementations: `cpu` runs the kernels' twins, `gpu` their WGSL through wgpu; `any` is either.

pub mod any;
pub mod cpu;
pub mod gpu;

use std::future::Future;

use crate::error::Result;
use crate::program::Program;

/// What runs the programs, as shown on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// "webgpu" or "cpu".
    pub backend: &'static str,
    /// The adapter's own name.
    pub name: String,
    /// Whether a "GPU" is in truth a CPU.
    pub software: bool,
}

/// What was asked of the backend since the last time it was asked for this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Kernel executions.
    pub dispatches: u64,
    /// Queue submissions.
    pub submits: u64,
    /// Buffers created.
    pub buffers_created: u64,
    /// Bind groups created.
    pub bind_groups_created: u64,
    /// Bytes uploaded.
    pub bytes_written: u64,
    /// Read-backs started.
    pub readbacks: u64,
    /// Bytes in live buffers now.
    pub gpu_bytes: u64,
}

/// Some words of a buffer.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a, B> {
    /// Where they lie.
    pub buffer: &'a B,
    /// The first of them.
    pub offset: usize,
    /// How many.
    pub words: usize,
}

/// Runs programs.
pub trait Backend: Clone + 'static {
    /// A buffer; clones share it, and it is freed with the last clone.
    type Buffer: Clone + std::fmt::Debug + 'static;
    /// A program with everything it needs to run.
    type Prepared: std::fmt::Debug + 'static;

    /// What this backend runs on.
    fn adapter(&self) -> Adapter;

    /// Largest size of one buffer in bytes.
    fn max_buffer_bytes(&self) -> u64;

    /// A zero-filled buffer of `words` 32-bit words.
    ///
    /// # Errors
    /// When the size is beyond the adapter's limit.
    fn allocate(&self, label: &str, words: usize) -> Result<Self::Buffer>;

    /// Overwrites `buffer` from word `offset` on. Ordered with `run`.
    ///
    /// # Errors
    /// When the words do not fit into the buffer.
    fn upload(&self, buffer: &Self::Buffer, offset: usize, words: &[u32]) -> Result<()>;

    /// Builds what `program` needs. `external` finds outside buffers by name. Buffers are made by the call,
    /// kernels are compiled a few at a time as the future is polled.
    ///
    /// # Errors
    /// When an outside buffer is missing or too small, memory does not suffice, or a kernel does
    /// not compile.
    fn prepare(
        &self,
        program: &Program,
        external: &dyn Fn(&str) -> Option<Self::Buffer>,
    ) -> impl Future<Output = Result<Self::Prepared>> + 'static;

    /// How many kernels are being compiled for programs under preparation, and how many of them are done.
    fn compiling(&self) -> [usize; 2] {
        [0, 0]
    }

    /// The buffer behind a program's buffer, to read outputs or draw them.
    fn buffer(&self, prepared: &Self::Prepared, id: crate::program::BufferId) -> Self::Buffer;

    /// Runs `prepared` `times` times in one submission. Returns at once; work is ordered.
    ///
    /// # Errors
    /// When the device is lost.
    fn run(&self, prepared: &Self::Prepared, times: u32) -> Result<()>;

    /// Runs `prepared` `times` times and then reads the first `words` words of `buffer`, all in one
    /// submission. The work is submitted at once; the future waits for the words.
    fn run_and_read(
        &self,
        prepared: &Self::Prepared,
        times: u32,
        buffer: &Self::Buffer,
        words: usize,
    ) -> impl Future<Output = Result<Vec<u32>>> + 'static;

    /// Reads `words` words from word `offset` on, after all work submitted before.
    fn read(
        &self,
        buffer: &Self::Buffer,
        offset: usize,
        words: usize,
    ) -> impl Future<Output = Result<Vec<u32>>> + 'static + use<Self> {
        self.read_parts(&[Part {
            buffer,
            offset,
            words,
        }])
    }

    /// Reads several parts at once, one behind the other, after all work submitted before.
    fn read_parts(
        &self,
        parts: &[Part<'_, Self::Buffer>],
    ) -> impl Future<Output = Result<Vec<u32>>> + 'static + use<Self>;

    /// Counters since the last call.
    fn counters(&self) -> Counters;
}
