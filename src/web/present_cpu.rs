//! Draws live tiles into canvases from host memory, for the CPU backend.

use std::rc::Rc;

use wasm_bindgen::{Clamped, JsCast as _, JsValue};
use web_sys::{ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

use crate::backend::any::Any;
use crate::error::{Error, Result};

use super::desk::{Presenter, View};
use super::paint::{ColorTables, paint};
use super::tiles::Group;

/// Paints tiles.
pub(super) struct CpuPresenter {
    tables: Rc<ColorTables>,
}

/// A canvas and its pixels.
struct CpuView {
    tables: Rc<ColorTables>,
    canvas: OffscreenCanvas,
    context: OffscreenCanvasRenderingContext2d,
    pixels: Vec<u32>,
    /// The background that is behind the tiles in `pixels`; none after they or the size changed.
    background: Option<[f32; 3]>,
}

impl CpuPresenter {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            tables: Rc::new(ColorTables::load()?),
        })
    }
}

fn failed(value: &JsValue) -> Error {
    Error::backend("cpu", format!("the canvas cannot be drawn on ({value:?})"))
}

impl Presenter for CpuPresenter {
    fn attach(&self, canvas: OffscreenCanvas) -> Result<Box<dyn View>> {
        let context = canvas.get_context("2d").map_err(|error| failed(&error))?;
        let context = context.ok_or_else(|| failed(&JsValue::NULL))?;
        let context = context
            .dyn_into::<OffscreenCanvasRenderingContext2d>()
            .map_err(|error| failed(&error))?;
        Ok(Box::new(CpuView {
            tables: self.tables.clone(),
            canvas,
            context,
            pixels: Vec::new(),
            background: None,
        }))
    }
}

impl View for CpuView {
    fn resize(&mut self, size: [u32; 2]) -> Result<()> {
        let [width, height] = size.map(|extent| extent.clamp(1, 8192));
        self.canvas.set_width(width);
        self.canvas.set_height(height);
        self.background = None;
        Ok(())
    }

    fn layout(&mut self, _: &[Group<Any>]) {
        self.background = None;
    }

    fn draw(&mut self, groups: &[Group<Any>], background: [f32; 3]) -> Result<()> {
        let (width, height) = (self.canvas.width(), self.canvas.height());
        let size = [width as usize, height as usize];
        // Tiles only ever cover what they covered before.
        if self.background != Some(background) {
            let [r, g, b] = background.map(|channel| (channel * 255.0).round() as u8);
            self.pixels.clear();
            let pixel = u32::from_ne_bytes([r, g, b, 255]);
            self.pixels.resize(size[0] * size[1], pixel);
            self.background = Some(background);
        }
        for group in groups {
            let tiles = (group.tiles.as_slice(), group.mode);
            let ((source, view_of), (range, range_of)) = (&group.source, &group.range);
            let (Some(source), Some(range)) = (source.cpu(), range.cpu()) else {
                continue;
            };
            let ranges: Vec<f32> = range.with_words(|words| {
                let words = &words[range_of.offset..range_of.offset + range_of.words];
                words.iter().copied().map(f32::from_bits).collect()
            });
            source.with_words(|words| {
                let words = &words[view_of.offset..view_of.offset + view_of.words];
                let floats = bytemuck::cast_slice(words);
                paint(tiles, floats, &ranges, &self.tables, size, &mut self.pixels);
            });
        }
        let image = ImageData::new_with_u8_clamped_array_and_sh(
            Clamped(bytemuck::cast_slice(&self.pixels)),
            width,
            height,
        )
        .map_err(|error| failed(&error))?;
        self.context
            .put_image_data(&image, 0.0, 0.0)
            .map_err(|error| failed(&error))
    }
}
