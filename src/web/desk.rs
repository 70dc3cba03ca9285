//! A laboratory with its canvases: what each view shows, and when it is drawn.

use std::pin::Pin;

use web_sys::OffscreenCanvas;

use litemap::LiteMap;

use crate::backend::any::Any;
use crate::error::{Error, Result};

use super::colors::rgb_from_hex;
use super::lab::Lab;
use super::messages::Tile;
use super::tiles::Group;

/// Draws into canvases what a backend holds.
pub(super) trait Presenter {
    /// Takes over a canvas.
    fn attach(&self, canvas: OffscreenCanvas) -> Result<Box<dyn View>>;
}

/// A canvas that was taken over.
pub(super) trait View {
    /// Changes its size, in pixels.
    fn resize(&mut self, size: [u32; 2]) -> Result<()>;
    /// Prepares for drawing these groups; called when they or the size change.
    fn layout(&mut self, groups: &[Group<Any>]);
    /// Draws them as they are now, or begins to.
    fn draw(&mut self, groups: &[Group<Any>], background: [f32; 3]) -> Result<Option<Painting>>;
}

/// A picture on its way to its canvas.
pub(super) type Painting = Pin<Box<dyn Future<Output = Result<()>>>>;

/// A laboratory and its canvases.
pub(super) struct Desk {
    pub(super) lab: Lab<Any>,
    presenter: Box<dyn Presenter>,
    views: LiteMap<String, Shown>,
    /// The pictures of the last drawing that are on their way.
    paintings: Vec<Painting>,
}

/// A canvas and what it shows.
struct Shown {
    view: Box<dyn View>,
    tiles: Vec<Tile>,
    background: [f32; 3],
    /// The tiles' buffers; none after the network changed, until they are laid out again.
    groups: Option<Vec<Group<Any>>>,
}

impl Desk {
    /// A desk without canvases.
    pub(super) fn new(lab: Lab<Any>, presenter: Box<dyn Presenter>) -> Self {
        Self {
            lab,
            presenter,
            views: LiteMap::new(),
            paintings: Vec::new(),
        }
    }

    pub(super) fn attach(&mut self, name: String, canvas: OffscreenCanvas) -> Result<()> {
        let view = self.presenter.attach(canvas)?;
        let shown = Shown {
            view,
            tiles: Vec::new(),
            background: [0.0; 3],
            groups: None,
        };
        self.views.insert(name, shown);
        Ok(())
    }

    fn shown(&mut self, name: &str) -> Result<&mut Shown> {
        let known: Vec<String> = self.views.keys().cloned().collect();
        self.views
            .get_mut(name)
            .ok_or_else(|| Error::unknown("view", name, known.iter().map(String::as_str)))
    }

    pub(super) fn resize(&mut self, name: &str, size: [u32; 2]) -> Result<()> {
        let shown = self.shown(name)?;
        shown.view.resize(size)?;
        shown.groups = None;
        Ok(())
    }

    /// Whether any view shows a gradient.
    fn shows_gradients(&self) -> bool {
        let mut tiles = self.views.values().flat_map(|shown| &shown.tiles);
        tiles.any(|tile| tile.kind.is_gradient())
    }

    pub(super) fn set_tiles(
        &mut self,
        name: &str,
        tiles: Vec<Tile>,
        background: &str,
    ) -> Result<()> {
        let background = rgb_from_hex(background)
            .ok_or_else(|| Error::mismatch("background", "a color #rrggbb", background))?;
        // Gradients are there from the next drawing on.
        let groups = match tiles.iter().any(|tile| tile.kind.is_gradient()) {
            true => None,
            false => Some(self.lab.resolve(&tiles)?),
        };
        let shown = self.shown(name)?;
        if let Some(groups) = &groups {
            shown.view.layout(groups);
        }
        (shown.tiles, shown.background, shown.groups) = (tiles, background, groups);
        Ok(())
    }

    /// After the network may have changed: its buffers are others now.
    pub(super) fn forget_groups(&mut self) {
        self.views
            .iter_mut()
            .for_each(|(_, shown)| shown.groups = None);
    }

    /// Runs the probe and begins to draw all views.
    pub(super) async fn present(&mut self) -> Result<()> {
        let looked = self.shows_gradients();
        self.lab.look_at_gradients(looked).await?;
        self.lab.run_probe()?;
        self.paintings.clear();
        for (_, shown) in self.views.iter_mut() {
            if shown.groups.is_none() {
                // Tiles of a network that is gone show nothing until the page lays out the new one.
                let groups = self.lab.resolve(&shown.tiles).unwrap_or_default();
                shown.view.layout(&groups);
                shown.groups = Some(groups);
            }
            let groups = shown.groups.as_deref().unwrap_or_default();
            let painting = shown.view.draw(groups, shown.background)?;
            self.paintings.extend(painting);
        }
        Ok(())
    }

    /// Until everything is on its canvas that [`Self::present`] began to draw. Nothing of the desk is held meanwhile.
    pub(super) fn drawn(&mut self) -> impl Future<Output = Result<()>> + use<> {
        let paintings = std::mem::take(&mut self.paintings);
        async move {
            for painting in paintings {
                painting.await?;
            }
            Ok(())
        }
    }
}
