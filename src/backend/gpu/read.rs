//! Read-backs through a pool of mappable buffers: the copy is submitted when the read is asked for,
//! so it sees exactly the work before it; the future only waits for the mapping. Small staging
//! buffers go back to the pool, so that reading a metric again and again creates nothing.

use std::future::Future;

use litemap::LiteMap;

use futures_channel::oneshot;

use crate::backend::Part;
use crate::error::Result;

use super::Gpu;
use super::memory::GpuBuffer;

/// Staging buffers above this size are freed after use.
const POOLED_BYTES: u64 = 1 << 20;

/// Unused staging buffers by size.
#[derive(Debug, Default)]
pub(super) struct Staging(LiteMap<u64, Vec<GpuBuffer>>);

/// A staging buffer in use. Dropping it frees the buffer, also while it is being mapped.
struct Lease {
    gpu: Gpu,
    buffer: GpuBuffer,
}

impl Lease {
    /// A staging buffer of at least `bytes`.
    fn new(gpu: &Gpu, bytes: u64) -> Self {
        let size = match bytes.max(256) {
            small if small <= POOLED_BYTES => small.next_power_of_two(),
            large => large,
        };
        let pooled = gpu
            .0
            .staging
            .borrow_mut()
            .0
            .get_mut(&size)
            .and_then(Vec::pop);
        let buffer = pooled.unwrap_or_else(|| {
            let raw = gpu.0.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("read-back"),
                size,
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            GpuBuffer::new(raw, (size / 4) as usize, &gpu.0.meter)
        });
        let gpu = gpu.clone();
        Self { gpu, buffer }
    }

    /// The first `bytes` bytes, once mapped; the buffer goes back to the pool.
    fn finish(self, bytes: u64) -> Result<Vec<u32>> {
        let raw = self.buffer.raw();
        let view = raw
            .get_mapped_range(0..bytes)
            .map_err(|failure| self.gpu.error(format!("read-back failed ({failure})")))?;
        let words = bytemuck::pod_collect_to_vec(&view);
        drop(view);
        raw.unmap();
        let size = raw.size();
        if size <= POOLED_BYTES {
            let mut staging = self.gpu.0.staging.borrow_mut();
            staging.0.entry(size).or_default().push(self.buffer);
        }
        Ok(words)
    }
}

/// Submits what `encoder` holds and, behind it, the copies of `parts`; see
/// [`crate::backend::Backend::read_parts`].
pub(super) fn read(
    gpu: &Gpu,
    encoder: wgpu::CommandEncoder,
    parts: &[Part<'_, GpuBuffer>],
) -> impl Future<Output = Result<Vec<u32>>> + 'static + use<> {
    let bytes = parts.iter().map(|part| part.words as u64 * 4).sum();
    let started = parts
        .iter()
        .try_for_each(|part| part.buffer.check("read", part.offset, part.words))
        .and_then(|()| gpu.0.faults.check())
        // WebGPU maps no empty range.
        .map(|()| (bytes > 0).then(|| start(gpu, encoder, parts, bytes)));
    async move {
        let Some(started) = started? else {
            return Ok(Vec::new());
        };
        let Started {
            lease,
            mapped,
            submission,
        } = started;
        make_progress(&lease.gpu, submission)?;
        match mapped.await {
            Ok(Ok(())) => lease.finish(bytes),
            _ => Err(lease.gpu.error("a read-back was refused")),
        }
    }
}

/// A read-back on its way.
struct Started {
    lease: Lease,
    mapped: oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
    submission: wgpu::SubmissionIndex,
}

/// Adds to `encoder` the copies of `parts`, `bytes` bytes in all, submits it, and asks for their mapping.
fn start(
    gpu: &Gpu,
    mut encoder: wgpu::CommandEncoder,
    parts: &[Part<'_, GpuBuffer>],
    bytes: u64,
) -> Started {
    let lease = Lease::new(gpu, bytes);
    let staging = lease.buffer.raw();
    let mut at = 0;
    for part in parts {
        let [first, length] = [part.offset, part.words].map(|words| words as u64 * 4);
        encoder.copy_buffer_to_buffer(part.buffer.raw(), first, staging, at, length);
        at += length;
    }
    let submission = gpu.0.queue.submit([encoder.finish()]);
    let (sender, mapped) = oneshot::channel();
    staging.map_async(wgpu::MapMode::Read, 0..bytes, move |outcome| {
        // Nobody listens where the read was given up.
        let _ = sender.send(outcome);
    });
    gpu.0.meter.count(|counters| {
        counters.submits += 1;
        counters.readbacks += 1;
    });
    Started {
        lease,
        mapped,
        submission,
    }
}

/// Natively nothing happens unless somebody polls the device: waits for `submission`.
#[cfg(not(target_arch = "wasm32"))]
fn make_progress(gpu: &Gpu, submission: wgpu::SubmissionIndex) -> Result<()> {
    let wait = wgpu::PollType::Wait {
        submission_index: Some(submission),
        timeout: None,
    };
    match gpu.0.device.poll(wait) {
        Ok(_) => Ok(()),
        Err(failure) => Err(gpu.error(format!("waiting for the device failed ({failure})"))),
    }
}

/// The browser's event loop resolves mappings by itself.
#[cfg(target_arch = "wasm32")]
fn make_progress(_: &Gpu, _: wgpu::SubmissionIndex) -> Result<()> {
    Ok(())
}
