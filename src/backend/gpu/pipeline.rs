//! Pipelines by WGSL text, and bind group layouts by access pattern. Both outlive the programs that
//! asked for them: compiling a shader takes tens of milliseconds, and a network that is built again
//! with another batch size or optimizer shares most of its kernels with the last one.

use std::rc::Rc;
use std::sync::Arc;

use litemap::LiteMap;

use crate::program::{Access, Launch};

/// Above this number pipelines that no program uses any more are dropped.
const KEPT: usize = 512;

/// A compiled kernel with the layout of its only bind group.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) raw: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// For each binding, whether it is only read.
type Pattern = Vec<bool>;

/// What identifies a pipeline.
pub(super) type Key = (Arc<str>, Pattern);

/// The caches.
#[derive(Debug, Default)]
pub(super) struct Pipelines {
    layouts: LiteMap<Pattern, (wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
    pipelines: LiteMap<Key, Rc<Pipeline>>,
}

/// The cache key of `launch`.
pub(super) fn key(launch: &Launch) -> Key {
    let only_read = |access: &Access| *access == Access::Read;
    let pattern = launch.accesses.iter().map(only_read).collect();
    (launch.wgsl.clone(), pattern)
}

impl Pipelines {
    /// The pipeline of `key` if it was compiled before.
    pub(super) fn get(&self, key: &Key) -> Option<Rc<Pipeline>> {
        self.pipelines.get(key).cloned()
    }

    /// Keeps a pipeline that is known to be good.
    pub(super) fn keep(&mut self, key: Key, pipeline: Rc<Pipeline>) {
        if self.pipelines.len() >= KEPT {
            self.pipelines
                .retain(|_, pipeline| Rc::strong_count(pipeline) > 1);
        }
        self.pipelines.insert(key, pipeline);
    }

    /// Compiles `launch`. Errors go to the device's innermost error scope.
    pub(super) fn compile(&mut self, device: &wgpu::Device, launch: &Launch) -> Pipeline {
        let (_, pattern) = key(launch);
        let (layout, pipeline_layout) = self
            .layouts
            .entry(pattern.clone())
            .or_insert_with(|| layouts(device, &pattern));
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(&launch.name),
            source: wgpu::ShaderSource::Wgsl(launch.wgsl.as_ref().into()),
        });
        let raw = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&launch.name),
            layout: Some(pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let layout = layout.clone();
        Pipeline { raw, layout }
    }
}

fn layouts(
    device: &wgpu::Device,
    pattern: &[bool],
) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
    let entry = |(binding, &read_only): (u32, &bool)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let entries: Vec<_> = (0..).zip(pattern).map(entry).collect();
    let group = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &entries,
    });
    let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&group)],
        immediate_size: 0,
    });
    (group, pipeline)
}
