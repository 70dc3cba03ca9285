//! From a program to what the device runs: its buffers filled, its kernels compiled, one bind group
//! per dispatch. All of it is created at once under error scopes; only their verdicts are awaited,
//! because a browser gives them later.

use std::future::Future;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::rc::Rc;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::program::{BufferId, Contents, Dispatch, Kernel, Program};

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

/// One dispatch.
#[derive(Debug)]
struct Step {
    pipeline: Rc<Pipeline>,
    bind_group: wgpu::BindGroup,
    workgroups: [u32; 3],
}

/// What an error scope will say.
type Verdict = Pin<Box<dyn Future<Output = Option<wgpu::Error>>>>;

/// A program whose verdicts are still to come.
struct Pending {
    program: GpuProgram,
    /// Verdicts by what was made under their scope.
    verdicts: Vec<(String, Verdict)>,
    /// Pipelines to keep once they are known to be good.
    compiled: Vec<(Key, Rc<Pipeline>)>,
}

/// See [`Backend::prepare`].
pub(super) fn prepare(
    gpu: &Gpu,
    program: &Program,
    external: &dyn Fn(&str) -> Option<GpuBuffer>,
) -> impl Future<Output = Result<GpuProgram>> + 'static {
    let started = start(gpu, program, external);
    let gpu = gpu.clone();
    async move {
        let pending = started?;
        let mut failures = Vec::new();
        // Every verdict is awaited, so that none is left to surface elsewhere.
        for (place, verdict) in pending.verdicts {
            if let Some(failure) = verdict.await {
                failures.push(format!("{place}: {failure}"));
            }
        }
        if let Some(first) = failures.into_iter().next() {
            return Err(error(first));
        }
        let mut pipelines = gpu.0.pipelines.borrow_mut();
        for (key, pipeline) in pending.compiled {
            pipelines.keep(key, pipeline);
        }
        Ok(pending.program)
    }
}

fn start(
    gpu: &Gpu,
    program: &Program,
    external: &dyn Fn(&str) -> Option<GpuBuffer>,
) -> Result<Pending> {
    let device = &gpu.0.device;
    let mut verdicts: Vec<(String, Verdict)> = Vec::new();
    let scope = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let buffers = buffers(gpu, program, external);
    let memory = format!("{}: {} bytes", program.label, program.own_bytes());
    verdicts.push((memory, Box::pin(scope.pop())));
    let buffers = buffers?;

    let mut compiled = Vec::new();
    let mut pipelines = Vec::new();
    for kernel in &program.kernels {
        let key = pipeline::key(kernel);
        let known = gpu.0.pipelines.borrow().get(&key);
        pipelines.push(known.unwrap_or_else(|| {
            let (pipeline, found) = compile(gpu, kernel);
            verdicts.extend(found);
            compiled.push((key, pipeline.clone()));
            pipeline
        }));
    }

    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let steps = program
        .dispatches
        .iter()
        .map(|dispatch| step(gpu, program, &buffers, &pipelines, dispatch))
        .collect();
    verdicts.push((program.label.clone(), Box::pin(scope.pop())));
    Ok(Pending {
        program: GpuProgram {
            label: program.label.clone(),
            buffers,
            steps,
        },
        verdicts,
        compiled,
    })
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

/// Compiles `kernel` under scopes that name it.
fn compile(gpu: &Gpu, kernel: &Kernel) -> (Rc<Pipeline>, [(String, Verdict); 2]) {
    let device = &gpu.0.device;
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let pipeline = gpu.0.pipelines.borrow_mut().compile(device, kernel);
    let place = format!("kernel {}", kernel.name);
    let verdicts: [(String, Verdict); 2] = [
        (place.clone(), Box::pin(validation.pop())),
        (place, Box::pin(internal.pop())),
    ];
    (Rc::new(pipeline), verdicts)
}

fn step(
    gpu: &Gpu,
    program: &Program,
    buffers: &[GpuBuffer],
    pipelines: &[Rc<Pipeline>],
    dispatch: &Dispatch,
) -> Step {
    let pipeline = pipelines[dispatch.kernel].clone();
    let kernel = &program.kernels[dispatch.kernel];
    let entry = |(binding, view): (u32, &crate::program::View)| wgpu::BindGroupEntry {
        binding,
        resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: buffers[view.buffer.0].raw(),
            offset: view.offset as u64 * 4,
            size: NonZeroU64::new(view.words as u64 * 4),
        }),
    };
    let entries: Vec<_> = (0..).zip(&dispatch.bindings).map(entry).collect();
    let bind_group = gpu.0.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(kernel.name),
        layout: &pipeline.layout,
        entries: &entries,
    });
    gpu.0
        .meter
        .count(|counters| counters.bind_groups_created += 1);
    Step {
        pipeline,
        bind_group,
        workgroups: kernel.workgroups,
    }
}

impl GpuProgram {
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    pub(super) fn buffer(&self, id: BufferId) -> GpuBuffer {
        self.buffers[id.0].clone()
    }

    /// Encodes all dispatches `times` times in one pass and returns their number. WebGPU orders
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
