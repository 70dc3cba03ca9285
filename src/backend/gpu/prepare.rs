//! From a program to what the device runs: its buffers filled, its launches compiled, one bind group
//! for each. Everything is created under error scopes, whose verdicts a browser gives later.

use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::rc::Rc;

use litemap::LiteMap;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::program::{BufferId, Contents, Launch, Program};

use super::memory::GpuBuffer;
use super::pipeline::{self, Key, Pipeline};
use super::{Gpu, error};

/// A program ready to run.
#[derive(Debug)]
pub struct GpuProgram {
    label: String,
    buffers: Vec<GpuBuffer>,
    steps: Vec<Step>,
}

/// One launch.
#[derive(Debug)]
struct Step {
    pipeline: Rc<Pipeline>,
    bind_group: wgpu::BindGroup,
    workgroups: [u32; 3],
}

/// What an error scope will say.
type Verdict = Pin<Box<dyn Future<Output = Option<wgpu::Error>>>>;

/// Kernels that are given to the device together. A browser's GPU process answers nothing before it has done all
/// that it was given at once, so that fewer means finer progress, and more fewer round trips.
const KERNELS_AT_ONCE: usize = 4;

/// See [`Backend::prepare`].
pub(super) fn prepare(
    gpu: &Gpu,
    program: &Program,
    external: &dyn Fn(&str) -> Option<GpuBuffer>,
) -> impl Future<Output = Result<GpuProgram>> + 'static {
    let scope = gpu
        .0
        .device
        .push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let buffers = buffers(gpu, program, external);
    let memory = scope.pop();
    let place = format!("{}: {} bytes", program.label, program.own_bytes());
    let (gpu, label) = (gpu.clone(), program.label.clone());
    let launches = program.launches(gpu.0.family.get());
    async move {
        // Every verdict is awaited, so that none is left to surface elsewhere.
        if let Some(failure) = memory.await {
            return Err(error(format!("{place}: {failure}")));
        }
        let buffers = buffers?;
        let pipelines = compile(&gpu, &launches).await?;
        let scope = gpu.0.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let both = launches.iter().zip(pipelines);
        let steps = both
            .map(|(launch, pipeline)| step(&gpu, launch, &buffers, pipeline))
            .collect();
        if let Some(failure) = scope.pop().await {
            return Err(error(format!("{label}: {failure}")));
        }
        Ok(GpuProgram {
            label,
            buffers,
            steps,
        })
    }
}

/// The pipelines of `launches`: those known from other programs, and the others compiled, each text once.
async fn compile(gpu: &Gpu, launches: &[Launch]) -> Result<Vec<Rc<Pipeline>>> {
    let keys: Vec<Key> = launches.iter().map(pipeline::key).collect();
    let mut pipelines: LiteMap<&Key, Option<Rc<Pipeline>>> = LiteMap::new();
    let mut missing = Vec::new();
    for (key, launch) in keys.iter().zip(launches) {
        pipelines.entry(key).or_insert_with(|| {
            let known = gpu.0.pipelines.borrow().get(key);
            if known.is_none() {
                missing.push((key, launch));
            }
            known
        });
    }
    let mut progress = Compiling::begin(gpu, missing.len());
    for group in missing.chunks(KERNELS_AT_ONCE) {
        let started: Vec<_> = group
            .iter()
            .map(|&(key, launch)| (key, launch, start(gpu, launch)))
            .collect();
        let mut failure = None;
        for (key, launch, (pipeline, verdicts)) in started {
            for verdict in verdicts {
                failure = failure.or(verdict.await.map(|found| (launch, found)));
            }
            progress.advance();
            pipelines.insert(key, Some(pipeline));
        }
        if let Some((launch, found)) = failure {
            return Err(error(format!("kernel {}: {found}", launch.name)));
        }
    }
    // By now each has one.
    let kept = |key: &Key| {
        let pipeline = pipelines.get(key).cloned().flatten()?;
        let mut known = gpu.0.pipelines.borrow_mut();
        known.keep(key.clone(), pipeline.clone());
        Some(pipeline)
    };
    Ok(keys.iter().filter_map(kept).collect())
}

/// Counts the kernels of one program as they are done, and forgets them at the end, also where the
/// preparation is given up.
struct Compiling {
    gpu: Gpu,
    kernels: usize,
    done: usize,
}

impl Compiling {
    fn begin(gpu: &Gpu, kernels: usize) -> Self {
        let [all, done] = gpu.0.compiling.get();
        gpu.0.compiling.set([all + kernels, done]);
        let gpu = gpu.clone();
        Self {
            gpu,
            kernels,
            done: 0,
        }
    }

    fn advance(&mut self) {
        let [all, done] = self.gpu.0.compiling.get();
        self.gpu.0.compiling.set([all, done + 1]);
        self.done += 1;
    }
}

impl Drop for Compiling {
    fn drop(&mut self) {
        let [all, done] = self.gpu.0.compiling.get();
        self.gpu
            .0
            .compiling
            .set([all - self.kernels, done - self.done]);
    }
}

/// Allocates, fills or finds each buffer of `program`.
fn buffers(
    gpu: &Gpu,
    program: &Program,
    external: &dyn Fn(&str) -> Option<GpuBuffer>,
) -> Result<Vec<GpuBuffer>> {
    let make = |decl: &crate::program::BufferDecl| {
        let buffer = match &decl.contents {
            Contents::Scratch => gpu.allocate(&decl.label, decl.words)?,
            Contents::Constant(words) => {
                let buffer = gpu.allocate(&decl.label, decl.words)?;
                gpu.upload(&buffer, 0, words)?;
                buffer
            }
            Contents::External(name) => external(name).ok_or_else(|| {
                let expected = format!("an outside buffer \"{name}\"");
                Error::mismatch(program.label.as_str(), expected, "none")
            })?,
        };
        buffer.check(&decl.label, 0, decl.words)?;
        Ok(buffer)
    };
    program.buffers.iter().map(make).collect()
}

/// Compiles `launch`, with what its error scopes will say.
fn start(gpu: &Gpu, launch: &Launch) -> (Rc<Pipeline>, [Verdict; 2]) {
    let device = &gpu.0.device;
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let pipeline = gpu.0.pipelines.borrow_mut().compile(device, launch);
    let verdicts: [Verdict; 2] = [Box::pin(validation.pop()), Box::pin(internal.pop())];
    (Rc::new(pipeline), verdicts)
}

fn step(gpu: &Gpu, launch: &Launch, buffers: &[GpuBuffer], pipeline: Rc<Pipeline>) -> Step {
    let entry = |(binding, view): (u32, &crate::program::View)| wgpu::BindGroupEntry {
        binding,
        resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: buffers[view.buffer.0].raw(),
            offset: view.offset as u64 * 4,
            size: NonZeroU64::new(view.words as u64 * 4),
        }),
    };
    let entries: Vec<_> = (0..).zip(&launch.bindings).map(entry).collect();
    let bind_group = gpu.0.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(&launch.name),
        layout: &pipeline.layout,
        entries: &entries,
    });
    gpu.0
        .meter
        .count(|counters| counters.bind_groups_created += 1);
    Step {
        pipeline,
        bind_group,
        workgroups: launch.workgroups,
    }
}

impl GpuProgram {
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn buffer(&self, id: BufferId) -> GpuBuffer {
        self.buffers[id.0].clone()
    }

    /// Encodes all launches `times` times in one pass and returns their number. WebGPU orders
    /// dispatches within a pass by the buffers they use.
    pub(super) fn encode(&self, encoder: &mut wgpu::CommandEncoder, times: u32) -> u64 {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some(&self.label),
            timestamp_writes: None,
        });
        let mut last: Option<&Rc<Pipeline>> = None;
        for _ in 0..times {
            for step in &self.steps {
                if !last.is_some_and(|last| Rc::ptr_eq(last, &step.pipeline)) {
                    pass.set_pipeline(&step.pipeline.raw);
                    last = Some(&step.pipeline);
                }
                pass.set_bind_group(0, &step.bind_group, &[]);
                let [x, y, z] = step.workgroups;
                pass.dispatch_workgroups(x, y, z);
            }
        }
        self.steps.len() as u64 * u64::from(times)
    }
}
