//! Whichever backend there is, chosen when the program starts: what stands above is compiled once and not
//! once per backend, and what a visitor downloads is twenty kilobytes less. Buffers and prepared programs carry
//! their backend, so that a call asks the thing itself whose it is.

use std::future::{Future, ready};
use std::pin::Pin;

use crate::error::{Error, Result};
use crate::program::{BufferId, Program};

use super::cpu::{Cpu, CpuBuffer, CpuProgram};
use super::gpu::{Gpu, GpuBuffer, GpuProgram};
use super::{Adapter, Backend, Counters, Part};

/// One of the two backends.
#[derive(Debug, Clone)]
pub enum Any {
    /// The kernels' twins.
    Cpu(Cpu),
    /// Their WGSL.
    Gpu(Gpu),
}

/// A buffer and its backend.
#[derive(Debug, Clone)]
pub enum AnyBuffer {
    /// Host memory.
    Cpu(Cpu, CpuBuffer),
    /// Device memory.
    Gpu(Gpu, GpuBuffer),
}

/// A prepared program and its backend.
#[derive(Debug)]
pub enum AnyProgram {
    /// For the CPU.
    Cpu(Cpu, CpuProgram),
    /// For the GPU.
    Gpu(Gpu, GpuProgram),
}

impl AnyBuffer {
    /// The host memory, if that is where it lies.
    pub fn cpu(&self) -> Option<&CpuBuffer> {
        match self {
            Self::Cpu(_, buffer) => Some(buffer),
            Self::Gpu(..) => None,
        }
    }

    /// The device memory, if that is where it lies.
    pub fn gpu(&self) -> Option<&GpuBuffer> {
        match self {
            Self::Cpu(..) => None,
            Self::Gpu(_, buffer) => Some(buffer),
        }
    }
}

/// Makes the same call on whichever backend it is.
macro_rules! either {
    ($any:expr, $backend:ident => $call:expr) => {
        match $any {
            Any::Cpu($backend) => $call,
            Any::Gpu($backend) => $call,
        }
    };
}

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

impl Backend for Any {
    type Buffer = AnyBuffer;
    type Prepared = AnyProgram;

    fn adapter(&self) -> Adapter {
        either!(self, backend => backend.adapter())
    }

    fn max_buffer_bytes(&self) -> u64 {
        either!(self, backend => backend.max_buffer_bytes())
    }

    fn allocate(&self, label: &str, words: usize) -> Result<AnyBuffer> {
        Ok(match self {
            Self::Cpu(cpu) => AnyBuffer::Cpu(cpu.clone(), cpu.allocate(label, words)?),
            Self::Gpu(gpu) => AnyBuffer::Gpu(gpu.clone(), gpu.allocate(label, words)?),
        })
    }

    fn upload(&self, buffer: &AnyBuffer, offset: usize, words: &[u32]) -> Result<()> {
        match buffer {
            AnyBuffer::Cpu(cpu, buffer) => cpu.upload(buffer, offset, words),
            AnyBuffer::Gpu(gpu, buffer) => gpu.upload(buffer, offset, words),
        }
    }

    fn prepare(
        &self,
        program: &Program,
        external: &dyn Fn(&str) -> Option<AnyBuffer>,
    ) -> impl Future<Output = Result<AnyProgram>> + 'static {
        let prepared: Boxed<AnyProgram> = match self.clone() {
            Self::Cpu(cpu) => {
                let external = |name: &str| external(name)?.cpu().cloned();
                let preparing = cpu.prepare(program, &external);
                Box::pin(async move { Ok(AnyProgram::Cpu(cpu, preparing.await?)) })
            }
            Self::Gpu(gpu) => {
                let external = |name: &str| external(name)?.gpu().cloned();
                let preparing = gpu.prepare(program, &external);
                Box::pin(async move { Ok(AnyProgram::Gpu(gpu, preparing.await?)) })
            }
        };
        prepared
    }

    fn compiling(&self) -> [usize; 2] {
        either!(self, backend => backend.compiling())
    }

    fn buffer(&self, prepared: &AnyProgram, id: BufferId) -> AnyBuffer {
        match prepared {
            AnyProgram::Cpu(cpu, program) => AnyBuffer::Cpu(cpu.clone(), cpu.buffer(program, id)),
            AnyProgram::Gpu(gpu, program) => AnyBuffer::Gpu(gpu.clone(), gpu.buffer(program, id)),
        }
    }

    fn run(&self, prepared: &AnyProgram, times: u32) -> Result<()> {
        match prepared {
            AnyProgram::Cpu(cpu, program) => cpu.run(program, times),
            AnyProgram::Gpu(gpu, program) => gpu.run(program, times),
        }
    }

    fn run_and_read(
        &self,
        prepared: &AnyProgram,
        times: u32,
        buffer: &AnyBuffer,
        words: usize,
    ) -> impl Future<Output = Result<Vec<u32>>> + 'static {
        let read: Boxed<Vec<u32>> = match (prepared, buffer) {
            (AnyProgram::Cpu(cpu, program), AnyBuffer::Cpu(_, buffer)) => {
                Box::pin(cpu.run_and_read(program, times, buffer, words))
            }
            (AnyProgram::Gpu(gpu, program), AnyBuffer::Gpu(_, buffer)) => {
                Box::pin(gpu.run_and_read(program, times, buffer, words))
            }
            (AnyProgram::Cpu(..), _) => strangers("cpu"),
            (AnyProgram::Gpu(..), _) => strangers("webgpu"),
        };
        read
    }

    fn read_parts(
        &self,
        parts: &[Part<'_, AnyBuffer>],
    ) -> impl Future<Output = Result<Vec<u32>>> + 'static + use<> {
        let read: Boxed<Vec<u32>> = match self {
            Self::Cpu(cpu) => match own(parts, AnyBuffer::cpu) {
                Some(parts) => Box::pin(cpu.read_parts(&parts)),
                None => strangers("cpu"),
            },
            Self::Gpu(gpu) => match own(parts, AnyBuffer::gpu) {
                Some(parts) => Box::pin(gpu.read_parts(&parts)),
                None => strangers("webgpu"),
            },
        };
        read
    }

    fn counters(&self) -> Counters {
        either!(self, backend => backend.counters())
    }
}

/// The parts as those of one backend, if they all are.
fn own<'a, B>(
    parts: &[Part<'a, AnyBuffer>],
    of: impl Fn(&'a AnyBuffer) -> Option<&'a B>,
) -> Option<Vec<Part<'a, B>>> {
    let own = |part: &Part<'a, AnyBuffer>| {
        Some(Part {
            buffer: of(part.buffer)?,
            offset: part.offset,
            words: part.words,
        })
    };
    parts.iter().map(own).collect()
}

/// The answer to a program and a buffer that belong to different backends.
fn strangers(backend: &'static str) -> Boxed<Vec<u32>> {
    let reason = "the buffer to read belongs to another backend".to_owned();
    Box::pin(ready(Err(Error::backend(backend, reason))))
}
