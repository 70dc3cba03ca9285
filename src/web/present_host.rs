//! Draws live tiles into canvases on the CPU: what the CPU backend holds, and what is read from a GPU that is a CPU in
//! truth. There, a picture is some hundred kilobytes to read, while drawing it pixel by pixel takes that "GPU"
//! several times as long as running LeNet-5 for it (benches/README.md, "live pictures").

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::{Clamped, JsCast as _, JsValue};
use web_sys::{ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

use crate::backend::any::Any;
use crate::backend::{Backend as _, Part};
use crate::error::{Error, Result};

use super::desk::{Painting, Presenter, View};
use super::paint::{ColorTables, paint};
use super::tiles::{Group, Mode, Placed};

/// Paints tiles of what this backend holds.
pub(super) struct HostPresenter {
    backend: Any,
    tables: Rc<ColorTables>,
}

/// A canvas that shows what is read from a backend.
struct HostView {
    backend: Any,
    screen: Rc<RefCell<Screen>>,
}

/// A canvas and its pixels.
struct Screen {
    tables: Rc<ColorTables>,
    canvas: OffscreenCanvas,
    context: OffscreenCanvasRenderingContext2d,
    pixels: Vec<u32>,
    /// Each group's tiles. Whatever is on its way when they change is of the past.
    layout: Rc<[(Vec<Placed>, Mode)]>,
    /// The background that is behind the tiles in `pixels`; none after they or the size changed.
    background: Option<[f32; 3]>,
}

impl HostPresenter {
    pub(super) fn new(backend: Any) -> Result<Self> {
        let tables = Rc::new(ColorTables::load()?);
        Ok(Self { backend, tables })
    }
}

fn failed(value: &JsValue) -> Error {
    Error::backend("canvas", format!("it cannot be drawn on ({value:?})"))
}

impl Presenter for HostPresenter {
    fn attach(&self, canvas: OffscreenCanvas) -> Result<Box<dyn View>> {
        let context = canvas.get_context("2d").map_err(|error| failed(&error))?;
        let context = context.ok_or_else(|| failed(&JsValue::NULL))?;
        let context = context
            .dyn_into::<OffscreenCanvasRenderingContext2d>()
            .map_err(|error| failed(&error))?;
        let screen = Screen {
            tables: self.tables.clone(),
            canvas,
            context,
            pixels: Vec::new(),
            layout: Rc::new([]),
            background: None,
        };
        Ok(Box::new(HostView {
            backend: self.backend.clone(),
            screen: Rc::new(RefCell::new(screen)),
        }))
    }
}

impl View for HostView {
    fn resize(&mut self, size: [u32; 2]) -> Result<()> {
        let [width, height] = size.map(|extent| extent.clamp(1, 8192));
        let mut screen = self.screen.borrow_mut();
        screen.canvas.set_width(width);
        screen.canvas.set_height(height);
        screen.lay_out(&[]);
        Ok(())
    }

    fn layout(&mut self, groups: &[Group<Any>]) {
        self.screen.borrow_mut().lay_out(groups);
    }

    fn draw(&mut self, groups: &[Group<Any>], background: [f32; 3]) -> Result<Option<Painting>> {
        let parts: Vec<_> = groups
            .iter()
            .flat_map(|group| [&group.source, &group.range])
            .map(|(buffer, view)| Part {
                buffer,
                offset: view.offset,
                words: view.words,
            })
            .collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.words).collect();
        let reading = self.backend.read_parts(&parts);
        let screen = self.screen.clone();
        let layout = screen.borrow().layout.clone();
        Ok(Some(Box::pin(async move {
            let words = reading.await?;
            let mut screen = screen.borrow_mut();
            match Rc::ptr_eq(&layout, &screen.layout) {
                true => screen.show(&words, &lengths, background),
                false => Ok(()),
            }
        })))
    }
}

impl Screen {
    fn lay_out(&mut self, groups: &[Group<Any>]) {
        let tiles = |group: &Group<Any>| (group.tiles.clone(), group.mode);
        self.layout = groups.iter().map(tiles).collect();
        self.background = None;
    }

    /// Paints each group from its source and its ranges, which lie one behind the other in `words`.
    fn show(&mut self, words: &[u32], lengths: &[usize], background: [f32; 3]) -> Result<()> {
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
        let mut rest: &[f32] = bytemuck::cast_slice(words);
        for ((tiles, mode), lengths) in self.layout.iter().zip(lengths.chunks_exact(2)) {
            let (source, others) = rest.split_at(lengths[0]);
            let (ranges, others) = others.split_at(lengths[1]);
            rest = others;
            let (group, pixels) = ((tiles.as_slice(), *mode), &mut self.pixels);
            paint(group, source, ranges, &self.tables, size, pixels);
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
