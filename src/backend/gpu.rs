//! Runs a program's WGSL through wgpu: the browser's WebGPU in a tab, Vulkan natively. Everything a
//! run needs (pipelines, bind groups, buffers) is made when a program is prepared; a run encodes one
//! compute pass and submits it, and creates nothing. Errors that WebGPU reports late (a lost device,
//! a failed validation) are kept and returned by the next call instead of ending the process.

mod device;
mod memory;
mod pipeline;
mod prepare;
mod read;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::program::{BufferId, Family, Program};

use super::{Adapter, Backend, Counters, Part};

pub use memory::GpuBuffer;
pub use prepare::GpuProgram;

use device::{Faults, Opened};
use memory::Meter;
use pipeline::Pipelines;
use read::Staging;

/// The GPU backend. Clones share one device.
#[derive(Debug, Clone)]
pub struct Gpu(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    instance: wgpu::Instance,
    adapter: wgpu::Adapter,
    device: wgpu::Device,
    queue: wgpu::Queue,
    name: String,
    software: bool,
    /// Which forms of kernels it runs.
    family: Cell<Family>,
    faults: Arc<Faults>,
    meter: Rc<Meter>,
    pipelines: RefCell<Pipelines>,
    staging: RefCell<Staging>,
    /// Kernels under compilation, and how many of them are done.
    compiling: Cell<[usize; 2]>,
}

/// Longest single upload; between two of them the queue is flushed, so that a dataset is never held
/// twice in staging memory.
const UPLOAD_CHUNK_WORDS: usize = 8 << 20;

impl Gpu {
    /// Opens the browser's adapter, or natively the Vulkan adapter whose name contains `name`
    /// (any if `None`; hardware before software).
    ///
    /// # Errors
    /// When there is no such adapter, or it refuses a device with WebGPU's default limits.
    pub async fn new(name: Option<&str>) -> Result<Self> {
        let Opened {
            instance,
            adapter,
            device,
            queue,
            name,
            software,
        } = device::open(name).await?;
        let faults = Faults::watch(&device);
        Ok(Self(Rc::new(Inner {
            instance,
            adapter,
            device,
            queue,
            name,
            software,
            family: Cell::new(match software {
                true => Family::Software,
                false => Family::Gpu,
            }),
            faults,
            meter: Rc::default(),
            pipelines: RefCell::default(),
            staging: RefCell::default(),
            compiling: Cell::default(),
        })))
    }

    /// The names of all native Vulkan adapters, hardware before software.
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn names() -> Vec<String> {
        let (_, adapters) = device::native_adapters().await;
        adapters.iter().map(device::name).collect()
    }

    /// Runs the forms of kernels for `family` from now on, whatever the adapter is: to compare them.
    pub fn set_family(&self, family: Family) {
        self.0.family.set(family);
    }

    /// The device, for a presenter that draws buffers. Work it submits is ordered with `run`.
    pub fn device(&self) -> &wgpu::Device {
        &self.0.device
    }

    /// The queue of [`Gpu::device`].
    pub fn queue(&self) -> &wgpu::Queue {
        &self.0.queue
    }

    /// The instance, to make surfaces.
    pub fn instance(&self) -> &wgpu::Instance {
        &self.0.instance
    }

    /// The adapter, to ask what a surface can do.
    pub fn wgpu_adapter(&self) -> &wgpu::Adapter {
        &self.0.adapter
    }

    fn create_buffer(&self, label: &str, words: usize) -> GpuBuffer {
        use wgpu::BufferUsages as Usage;
        // A binding may not be empty.
        let bytes = words.max(1) as u64 * 4;
        let raw = self.0.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage: Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        GpuBuffer::new(raw, words, &self.0.meter)
    }

    /// An encoder that holds `times` runs of `prepared` in one pass.
    fn encode(&self, prepared: &GpuProgram, times: u32) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor {
            label: Some(prepared.label()),
        };
        let mut encoder = self.0.device.create_command_encoder(&descriptor);
        let dispatches = prepared.encode(&mut encoder, times);
        self.0
            .meter
            .count(|counters| counters.dispatches += dispatches);
        encoder
    }

    fn error(&self, reason: impl Into<String>) -> Error {
        error(self.0.faults.reason().unwrap_or_else(|| reason.into()))
    }
}

/// An error of this backend.
fn error(reason: impl Into<String>) -> Error {
    Error::backend("webgpu", reason.into())
}

impl Backend for Gpu {
    type Buffer = GpuBuffer;
    type Prepared = GpuProgram;

    fn adapter(&self) -> Adapter {
        Adapter {
            backend: "webgpu",
            name: self.0.name.clone(),
            software: self.0.software,
        }
    }

    fn max_buffer_bytes(&self) -> u64 {
        let limits = self.0.device.limits();
        limits
            .max_buffer_size
            .min(limits.max_storage_buffer_binding_size)
    }

    fn allocate(&self, label: &str, words: usize) -> Result<GpuBuffer> {
        let (needed, limit) = (words as u64 * 4, self.max_buffer_bytes());
        if needed > limit {
            let place = label.to_owned();
            return Err(Error::memory(place, needed, limit));
        }
        let buffer = self.create_buffer(label, words);
        // Natively a failed allocation is known at once; the browser tells the next call.
        self.0.faults.check()?;
        Ok(buffer)
    }

    fn upload(&self, buffer: &GpuBuffer, offset: usize, words: &[u32]) -> Result<()> {
        buffer.check("upload", offset, words.len())?;
        self.0.faults.check()?;
        for (index, chunk) in words.chunks(UPLOAD_CHUNK_WORDS).enumerate() {
            if index > 0 {
                self.0.queue.submit([]);
                self.0.meter.count(|counters| counters.submits += 1);
            }
            let first = (offset + index * UPLOAD_CHUNK_WORDS) as u64 * 4;
            let bytes = bytemuck::cast_slice(chunk);
            self.0.queue.write_buffer(buffer.raw(), first, bytes);
        }
        let bytes = words.len() as u64 * 4;
        self.0
            .meter
            .count(|counters| counters.bytes_written += bytes);
        Ok(())
    }

    fn prepare(
        &self,
        program: &Program,
        external: &dyn Fn(&str) -> Option<GpuBuffer>,
    ) -> impl Future<Output = Result<GpuProgram>> + 'static {
        prepare::prepare(self, program, external)
    }

    fn compiling(&self) -> [usize; 2] {
        self.0.compiling.get()
    }

    fn buffer(&self, prepared: &GpuProgram, id: BufferId) -> GpuBuffer {
        prepared.buffer(id)
    }

    fn run(&self, prepared: &GpuProgram, times: u32) -> Result<()> {
        self.0.faults.check()?;
        let encoder = self.encode(prepared, times);
        self.0.queue.submit([encoder.finish()]);
        self.0.meter.count(|counters| counters.submits += 1);
        self.0.faults.check()
    }

    fn run_and_read(
        &self,
        prepared: &GpuProgram,
        times: u32,
        buffer: &GpuBuffer,
        words: usize,
    ) -> impl Future<Output = Result<Vec<u32>>> + 'static {
        let part = Part {
            buffer,
            offset: 0,
            words,
        };
        read::read(self, self.encode(prepared, times), &[part])
    }

    fn read_parts(
        &self,
        parts: &[Part<'_, GpuBuffer>],
    ) -> impl Future<Output = Result<Vec<u32>>> + 'static + use<> {
        let encoder = self.0.device.create_command_encoder(&Default::default());
        read::read(self, encoder, parts)
    }

    fn counters(&self) -> Counters {
        self.0.meter.take()
    }
}
