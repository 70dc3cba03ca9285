//! Runs the CPU twins of a program's kernels, in order, on host memory: the reference that the GPU
//! is checked against, and the fallback where there is no adapter.

use std::array;
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::future::{Future, ready};
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::program::{Access, Args, BufferId, Contents, Dispatch, MAX_BINDINGS, Program, Scratch};

use super::{Adapter, Backend, Counters, Part};

/// The CPU backend.
#[derive(Debug, Clone, Default)]
pub struct Cpu {
    counters: Rc<Cell<Counters>>,
    live_bytes: Rc<Cell<u64>>,
}

/// Host memory of one buffer.
#[derive(Debug, Clone)]
pub struct CpuBuffer(Rc<Memory>);

#[derive(Debug)]
struct Memory {
    words: RefCell<Vec<u32>>,
    live_bytes: Rc<Cell<u64>>,
}

impl Drop for Memory {
    fn drop(&mut self) {
        let bytes = self.words.borrow().len() as u64 * 4;
        self.live_bytes.set(self.live_bytes.get() - bytes);
    }
}

/// A program and its memory.
#[derive(Debug)]
pub struct CpuProgram {
    program: Program,
    buffers: Vec<CpuBuffer>,
    scratch: RefCell<Scratch>,
}

/// The words of one binding while its dispatch runs.
#[derive(Debug, Default)]
enum Bound<'a> {
    #[default]
    Nothing,
    Read(Ref<'a, [u32]>),
    Written(RefMut<'a, [u32]>),
}

impl CpuProgram {
    fn bind(&self, dispatch: &Dispatch, index: usize) -> Bound<'_> {
        let accesses = &self.program.kernels[dispatch.kernel].accesses;
        let (Some(access), Some(view)) = (accesses.get(index), dispatch.bindings.get(index)) else {
            return Bound::Nothing;
        };
        // `compile` never binds a written buffer twice, so these borrows cannot clash.
        let memory = &self.buffers[view.buffer.0].0.words;
        let range = view.offset..view.offset + view.words;
        match access {
            Access::Read => Bound::Read(Ref::map(memory.borrow(), |words| &words[range])),
            Access::Write | Access::ReadWrite => {
                Bound::Written(RefMut::map(memory.borrow_mut(), |words| &mut words[range]))
            }
        }
    }

    fn execute(&self, dispatch: &Dispatch, scratch: &mut Scratch) {
        let mut bound: [Bound<'_>; MAX_BINDINGS] = array::from_fn(|i| self.bind(dispatch, i));
        let mut reads: [&[u32]; MAX_BINDINGS] = [&[]; MAX_BINDINGS];
        let mut writes: [&mut [u32]; MAX_BINDINGS] = array::from_fn(|_| [].as_mut_slice());
        let (mut n_reads, mut n_writes) = (0, 0);
        for bound in &mut bound {
            match bound {
                Bound::Nothing => {}
                Bound::Read(words) => {
                    reads[n_reads] = words;
                    n_reads += 1;
                }
                Bound::Written(words) => {
                    writes[n_writes] = words;
                    n_writes += 1;
                }
            }
        }
        let mut args = Args::new(&reads[..n_reads], &mut writes[..n_writes], scratch);
        (self.program.kernels[dispatch.kernel].twin)(&mut args);
    }
}

impl Cpu {
    /// A CPU backend with its own counters.
    pub fn new() -> Self {
        Self::default()
    }

    fn prepared(
        &self,
        program: &Program,
        external: &dyn Fn(&str) -> Option<CpuBuffer>,
    ) -> Result<CpuProgram> {
        let mut buffers = Vec::new();
        for decl in &program.buffers {
            let buffer = match &decl.contents {
                Contents::Scratch => self.allocate(&decl.label, decl.words)?,
                Contents::Constant(words) => {
                    let buffer = self.allocate(&decl.label, decl.words)?;
                    self.upload(&buffer, 0, words)?;
                    buffer
                }
                Contents::External(name) => external(name).ok_or_else(|| {
                    let expected = format!("an outside buffer \"{name}\"");
                    Error::mismatch(program.label.as_str(), expected, "none")
                })?,
            };
            let size = buffer.0.words.borrow().len();
            if size < decl.words {
                let expected = format!("{} words", decl.words);
                return Err(Error::mismatch(
                    decl.label.as_str(),
                    expected,
                    size.to_string(),
                ));
            }
            buffers.push(buffer);
        }
        for dispatch in &program.dispatches {
            let found = dispatch.bindings.len();
            if found > MAX_BINDINGS {
                let place = program.kernels[dispatch.kernel].name;
                let expected = format!("at most {MAX_BINDINGS} bindings");
                return Err(Error::mismatch(place, expected, found.to_string()));
            }
        }
        Ok(CpuProgram {
            program: program.clone(),
            buffers,
            scratch: RefCell::default(),
        })
    }

    fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }
}

/// No buffer may be larger: the size of a WebGPU buffer by default.
const MAX_BUFFER_BYTES: u64 = 1 << 28;

impl Backend for Cpu {
    type Buffer = CpuBuffer;
    type Prepared = CpuProgram;

    fn adapter(&self) -> Adapter {
        let name = if cfg!(target_arch = "wasm32") {
            "WebAssembly SIMD"
        } else {
            "native"
        };
        Adapter {
            backend: "cpu",
            name: name.into(),
            software: true,
        }
    }

    fn max_buffer_bytes(&self) -> u64 {
        MAX_BUFFER_BYTES
    }

    fn allocate(&self, label: &str, words: usize) -> Result<CpuBuffer> {
        let needed = words as u64 * 4;
        if needed > MAX_BUFFER_BYTES {
            let place = label.to_owned();
            return Err(Error::memory(place, needed, MAX_BUFFER_BYTES));
        }
        self.count(|counters| counters.buffers_created += 1);
        self.live_bytes.set(self.live_bytes.get() + needed);
        let words = RefCell::new(vec![0; words]);
        Ok(CpuBuffer(Rc::new(Memory {
            words,
            live_bytes: self.live_bytes.clone(),
        })))
    }

    fn upload(&self, buffer: &CpuBuffer, offset: usize, words: &[u32]) -> Result<()> {
        let mut memory = buffer.0.words.borrow_mut();
        let size = memory.len();
        let target = memory
            .get_mut(offset..offset + words.len())
            .ok_or_else(|| {
                let found = format!("words {offset}..{}", offset + words.len());
                Error::mismatch("upload", format!("at most {size} words"), found)
            })?;
        target.copy_from_slice(words);
        self.count(|counters| counters.bytes_written += words.len() as u64 * 4);
        Ok(())
    }

    fn prepare(
        &self,
        program: &Program,
        external: &dyn Fn(&str) -> Option<CpuBuffer>,
    ) -> impl Future<Output = Result<CpuProgram>> + 'static {
        ready(self.prepared(program, external))
    }

    fn buffer(&self, prepared: &CpuProgram, id: BufferId) -> CpuBuffer {
        prepared.buffers[id.0].clone()
    }

    fn run(&self, prepared: &CpuProgram, times: u32) -> Result<()> {
        for _ in 0..times {
            for dispatch in &prepared.program.dispatches {
                prepared.execute(dispatch, &mut prepared.scratch.borrow_mut());
            }
        }
        let dispatches = prepared.program.dispatches.len() as u64 * u64::from(times);
        self.count(|counters| {
            counters.dispatches += dispatches;
            counters.submits += 1;
        });
        Ok(())
    }

    fn run_and_read(
        &self,
        prepared: &CpuProgram,
        times: u32,
        buffer: &CpuBuffer,
        words: usize,
    ) -> impl Future<Output = Result<Vec<u32>>> + 'static {
        let ran = self.run(prepared, times);
        let reading = self.read(buffer, 0, words);
        async move {
            ran?;
            reading.await
        }
    }

    fn read_parts(
        &self,
        parts: &[Part<'_, CpuBuffer>],
    ) -> impl Future<Output = Result<Vec<u32>>> + 'static + use<> {
        self.count(|counters| counters.readbacks += 1);
        let mut words = Vec::new();
        let read = parts.iter().try_for_each(|part| {
            let memory = part.buffer.0.words.borrow();
            let end = part.offset.saturating_add(part.words);
            let found = memory.get(part.offset..end).ok_or_else(|| {
                let expected = format!("at most {} words", memory.len());
                Error::mismatch("read", expected, format!("words {}..{end}", part.offset))
            })?;
            words.extend_from_slice(found);
            Ok(())
        });
        ready(read.map(|()| words))
    }

    fn counters(&self) -> Counters {
        let mut counters = self.counters.take();
        counters.gpu_bytes = self.live_bytes.get();
        counters
    }
}
