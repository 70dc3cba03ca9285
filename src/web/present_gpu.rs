//! Draws live tiles from GPU buffers into canvases without reading them back: one render pass per
//! view, one draw call per group of tiles (`shaders/tiles.wgsl`).

use std::rc::Rc;

use crate::backend::any::Any;
use crate::backend::gpu::Gpu;
use crate::error::{Error, Result};

use super::colors::Colors;
use super::desk::{Painting, Presenter, View};
use super::tiles::{Group, Mode, Placed};

/// Draws what a GPU holds.
pub(super) struct GpuPresenter(Rc<Drawing>);

/// What drawing needs that does not change.
struct Drawing {
    gpu: Gpu,
    colors: Colors,
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::RenderPipeline,
}

/// A canvas, and its tiles as they were laid out last.
struct GpuView {
    drawing: Rc<Drawing>,
    surface: wgpu::Surface<'static>,
    size: [u32; 2],
    /// Bind group and number of tiles of each group.
    groups: Vec<(wgpu::BindGroup, u32)>,
}

/// Canvases take this without conversion in every browser that has WebGPU.
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Bgra8Unorm;

impl GpuPresenter {
    pub(super) fn new(gpu: Gpu) -> Result<Self> {
        let device = gpu.device();
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("tiles"),
            source: wgpu::ShaderSource::Wgsl(include_str!("../../shaders/tiles.wgsl").into()),
        });
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("tiles"),
            entries: &[0, 1, 2, 3].map(layout_entry),
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("tiles"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("tiles"),
            layout: Some(&pipeline_layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState {
                topology: wgpu::PrimitiveTopology::TriangleStrip,
                ..Default::default()
            },
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("pixel"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(FORMAT.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        Ok(Self(Rc::new(Drawing {
            colors: Colors::load()?,
            gpu,
            layout,
            pipeline,
        })))
    }
}

impl Drawing {
    /// The bind group and the number of tiles of a group, unless it is not on a GPU.
    fn bind(&self, group: &Group<Any>, size: [u32; 2]) -> Option<(wgpu::BindGroup, u32)> {
        let settings = settings_words(group.mode, &self.colors, size);
        let tiles: Vec<u32> = group.tiles.iter().flat_map(tile_words).collect();
        let settings = self.filled("tile settings", &settings, wgpu::BufferUsages::UNIFORM);
        let tiles = self.filled("tiles", &tiles, wgpu::BufferUsages::STORAGE);
        let (source, view) = &group.source;
        let (range, range_view) = &group.range;
        let part = |buffer, view: &crate::program::View| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset: view.offset as u64 * 4,
                size: std::num::NonZeroU64::new(view.words as u64 * 4),
            })
        };
        let resources = [
            part(source.gpu()?.raw(), view),
            part(range.gpu()?.raw(), range_view),
            tiles.as_entire_binding(),
            settings.as_entire_binding(),
        ];
        let entries: Vec<_> = (0..)
            .zip(resources)
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        let bound = self
            .gpu
            .device()
            .create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("tiles"),
                layout: &self.layout,
                entries: &entries,
            });
        Some((bound, group.tiles.len() as u32))
    }

    fn filled(&self, label: &str, words: &[u32], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let buffer = self.gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: words.len() as u64 * 4,
            usage: usage | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.gpu
            .queue()
            .write_buffer(&buffer, 0, bytemuck::cast_slice(words));
        buffer
    }
}

impl Presenter for GpuPresenter {
    fn attach(&self, canvas: web_sys::OffscreenCanvas) -> Result<Box<dyn View>> {
        let size = [canvas.width().max(1), canvas.height().max(1)];
        let target = wgpu::SurfaceTarget::OffscreenCanvas(canvas);
        let surface = self.0.gpu.instance().create_surface(target);
        let surface = surface.map_err(|error| failed(error.to_string()))?;
        let view = GpuView {
            drawing: self.0.clone(),
            surface,
            size,
            groups: Vec::new(),
        };
        view.configure()?;
        Ok(Box::new(view))
    }
}

impl GpuView {
    fn configure(&self) -> Result<()> {
        let ([width, height], gpu) = (self.size, &self.drawing.gpu);
        let config = (self.surface).get_default_config(gpu.wgpu_adapter(), width, height);
        let Some(config) = config else {
            return Err(failed("the canvas does not belong to this adapter"));
        };
        let config = wgpu::SurfaceConfiguration {
            format: FORMAT,
            ..config
        };
        self.surface.configure(gpu.device(), &config);
        Ok(())
    }
}

impl View for GpuView {
    fn resize(&mut self, size: [u32; 2]) -> Result<()> {
        // Textures are limited; a canvas beyond that is scaled by the page.
        self.size = size.map(|extent| extent.clamp(1, 8192));
        self.configure()
    }

    fn layout(&mut self, groups: &[Group<Any>]) {
        let bound = groups
            .iter()
            .map(|group| self.drawing.bind(group, self.size));
        self.groups = bound.flatten().collect();
    }

    fn draw(&mut self, _: &[Group<Any>], background: [f32; 3]) -> Result<Option<Painting>> {
        use wgpu::CurrentSurfaceTexture as Current;
        let texture = match self.surface.get_current_texture() {
            Current::Success(texture) | Current::Suboptimal(texture) => texture,
            // Nothing to draw into this time; the next frame comes within a tenth of a second.
            Current::Timeout | Current::Occluded => return Ok(None),
            Current::Outdated | Current::Lost | Current::Validation => {
                self.configure()?;
                return Ok(None);
            }
        };
        let target = texture
            .texture
            .create_view(&wgpu::TextureViewDescriptor::default());
        let gpu = &self.drawing.gpu;
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        let [r, g, b] = background.map(f64::from);
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("tiles"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &target,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a: 1.0 }),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..Default::default()
        });
        pass.set_pipeline(&self.drawing.pipeline);
        for (bound, n_tiles) in &self.groups {
            pass.set_bind_group(0, bound, &[]);
            pass.draw(0..4, 0..*n_tiles);
        }
        drop(pass);
        gpu.queue().submit([encoder.finish()]);
        gpu.queue().present(texture);
        // The browser shows it as soon as it is done.
        Ok(None)
    }
}

fn failed(reason: impl Into<String>) -> Error {
    Error::backend("webgpu", reason.into())
}

fn layout_entry(binding: u32) -> wgpu::BindGroupLayoutEntry {
    let ty = match binding {
        3 => wgpu::BufferBindingType::Uniform,
        _ => wgpu::BufferBindingType::Storage { read_only: true },
    };
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }
}

/// `Settings` of the shader.
fn settings_words(mode: Mode, colors: &Colors, size: [u32; 2]) -> Vec<u32> {
    let mode = match mode {
        Mode::Scaled => 0,
        Mode::Symmetric => 1,
        Mode::Gray => 2,
        Mode::Rgb => 3,
    };
    let [width, height] = size.map(|extent| (extent as f32).to_bits());
    let mut words = vec![width, height, mode, 0];
    for [r, g, b] in colors.sequential.iter().chain(&colors.diverging) {
        words.extend([*r, *g, *b, 1.0].map(f32::to_bits));
    }
    words
}

/// `Tile` of the shader.
fn tile_words(tile: &Placed) -> [u32; 12] {
    let [x, y, w, h] = tile.rect.map(f32::to_bits);
    let [across, down] = tile.cells;
    let [first_pair, pairs] = tile.pairs;
    [
        x,
        y,
        w,
        h,
        tile.base,
        tile.stride_x,
        tile.stride_y,
        first_pair,
        across,
        down,
        pairs,
        0,
    ]
}
