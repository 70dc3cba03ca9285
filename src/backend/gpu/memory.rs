//! Device buffers and the meter that counts them.

use std::cell::Cell;
use std::rc::Rc;

use crate::backend::Counters;
use crate::error::{Error, Result};

/// Counts what is asked of the device; shared by the backend and all its buffers.
#[derive(Debug, Default)]
pub(super) struct Meter {
    counters: Cell<Counters>,
    live_bytes: Cell<u64>,
}

impl Meter {
    pub(super) fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }

    /// The counters since the last call, and the bytes alive now.
    pub(super) fn take(&self) -> Counters {
        let mut counters = self.counters.take();
        counters.gpu_bytes = self.live_bytes.get();
        counters
    }
}

/// Device memory. Clones share it; it is given back at once with the last clone, so whoever binds
/// the raw buffer keeps a clone beside it.
#[derive(Debug, Clone)]
pub struct GpuBuffer(Rc<Memory>);

#[derive(Debug)]
struct Memory {
    raw: wgpu::Buffer,
    words: usize,
    meter: Rc<Meter>,
}

impl Drop for Memory {
    fn drop(&mut self) {
        let live = &self.meter.live_bytes;
        live.set(live.get() - self.raw.size());
        // A browser would wait for its garbage collector. Submitted work still finishes.
        self.raw.destroy();
    }
}

impl GpuBuffer {
    pub(super) fn new(raw: wgpu::Buffer, words: usize, meter: &Rc<Meter>) -> Self {
        meter.count(|counters| counters.buffers_created += 1);
        meter.live_bytes.set(meter.live_bytes.get() + raw.size());
        let meter = meter.clone();
        Self(Rc::new(Memory { raw, words, meter }))
    }

    /// The buffer itself, to bind it for drawing.
    pub fn raw(&self) -> &wgpu::Buffer {
        &self.0.raw
    }

    /// Its size in 32-bit words.
    pub fn words(&self) -> usize {
        self.0.words
    }

    /// Checks that `words` words from `offset` on lie within the buffer.
    pub(super) fn check(&self, place: &str, offset: usize, words: usize) -> Result<()> {
        let end = offset.checked_add(words);
        if end.is_some_and(|end| end <= self.0.words) {
            return Ok(());
        }
        Err(Error::mismatch(
            place,
            format!("at most {} words", self.0.words),
            format!("{words} words from word {offset} on"),
        ))
    }
}
