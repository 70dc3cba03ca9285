//! Live tiles: which words of which device buffer each one shows, where, and in which colors. Both
//! presenters draw from this description.

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::nn::Network;
use crate::program::View;
use crate::train::{Probe, Session};

use super::messages::{Scale, Tile, TileKind};

/// How a group's values become colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Through a color map over the group's range: sequential from 0 where no value is negative, else
    /// diverging and symmetric around 0.
    Scaled,
    /// Always diverging and symmetric around 0.
    Symmetric,
    /// Gray levels in 0..1.
    Gray,
    /// Three channels side by side are red, green and blue in 0..1.
    Rgb,
}

/// A rectangle of the canvas and the words it shows: cell `(x, y)` is word
/// `base + x * stride_x + y * stride_y`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Left, top, width and height in canvas pixels.
    pub rect: [f32; 4],
    /// Word of the first cell.
    pub base: u32,
    /// Words from one cell to the next in its row.
    pub stride_x: u32,
    /// Words from one row to the next.
    pub stride_y: u32,
    /// Cells across and down.
    pub cells: [u32; 2],
    /// The first pair of the group's range that its color scale covers, and how many.
    pub pairs: [u32; 2],
}

/// Tiles that show the same buffer and share a color scale.
#[derive(Debug)]
pub struct Group<B: Backend> {
    /// What they show.
    pub source: (B::Buffer, View),
    /// `[n, 2]` smallest and largest values.
    pub range: (B::Buffer, View),
    /// How values become colors.
    pub mode: Mode,
    /// The tiles.
    pub tiles: Vec<Placed>,
}

/// Resolves the page's tiles, grouped by layer and kind.
///
/// # Errors
/// When a tile names a layer, unit or kernel that the network does not have.
pub(super) fn resolve<B: Backend>(
    session: &Session<B>,
    probe: &Probe<B>,
    gradients: Option<&Probe<B>>,
    tiles: &[Tile],
) -> Result<Vec<Group<B>>> {
    let mut groups: Vec<((usize, TileKind, bool), Group<B>)> = Vec::new();
    let network = session.network();
    for tile in tiles {
        let index = layer_index(network, &tile.layer)?;
        let mut placed = place(network, index, tile)?;
        let global = tile.scale == Scale::Global && !tile.kind.is_kernel();
        let key = (index, tile.kind, global);
        if global {
            placed.pairs = [0, 2];
        }
        if let Some((_, group)) = groups.iter_mut().find(|(other, _)| *other == key) {
            group.tiles.push(placed);
            continue;
        }
        let probe = match tile.kind.is_gradient() {
            true => gradients.ok_or_else(unseen)?,
            false => probe,
        };
        let [source, mut range] = match tile.kind.is_kernel() {
            true => probe
                .kernel_buffers(index)
                .ok_or_else(|| Error::mismatch(tile.layer.as_str(), "kernels", "none"))?,
            false => probe.layer_buffers(index),
        };
        if global {
            range = probe.global_range();
        }
        let mode = match (tile.kind, index, network.spec.input[0]) {
            (TileKind::Activation, 0, 3) => Mode::Rgb,
            (TileKind::Activation, 0, _) => Mode::Gray,
            (TileKind::Activation, ..) => Mode::Scaled,
            _ => Mode::Symmetric,
        };
        groups.push((
            key,
            Group {
                source,
                range,
                mode,
                tiles: vec![placed],
            },
        ));
    }
    Ok(groups.into_iter().map(|(_, group)| group).collect())
}

/// Gradients that no backward pass is there for.
pub(super) fn unseen() -> Error {
    Error::mismatch("probe", "gradients that are looked at", "none")
}

/// The index of the layer called `id`.
pub(super) fn layer_index(network: &Network, id: &str) -> Result<usize> {
    network
        .layers
        .iter()
        .position(|layer| layer.id == id)
        .ok_or_else(|| {
            Error::unknown(
                "layer",
                id,
                network.layers.iter().map(|layer| layer.id.as_str()),
            )
        })
}

fn place(network: &Network, index: usize, tile: &Tile) -> Result<Placed> {
    let layer = &network.layers[index];
    let below = |what: &str, found: usize, limit: usize| {
        if found < limit {
            return Ok(found);
        }
        let place = format!("{} {what}", layer.id);
        Err(Error::mismatch(
            place,
            format!("an index below {limit}"),
            found.to_string(),
        ))
    };
    let [base, stride_x, stride_y, width, height, channel, channels] = match tile.kind {
        TileKind::Activation | TileKind::ActivationGradient => {
            let [mut c, h, w] = layer.shape;
            if index == 0 && tile.kind == TileKind::ActivationGradient {
                c = 1;
            }
            let unit = below("unit", tile.unit, c)?;
            [unit, c, w * c, w, h, unit, c]
        }
        TileKind::Kernel | TileKind::KernelGradient => {
            let Some(kernel) = network.kernel(index) else {
                let expected = "a layer with kernels";
                return Err(Error::mismatch(layer.id.as_str(), expected, "none"));
            };
            let unit = below("kernel", tile.unit, layer.shape[0])?;
            let input = below("kernel input", tile.input, kernel.inputs)?;
            let ([h, w], step, units) = (kernel.size, kernel.strides[0], kernel.units);
            let first = kernel.first(unit, input);
            [first, step, w * step, w, h, unit % units, units]
        }
    }
    // Buffers are far below 2^32 words.
    .map(|words| words as u32);
    let rect = [tile.x, tile.y, tile.width, tile.height];
    Ok(Placed {
        rect,
        base,
        stride_x,
        stride_y,
        cells: [width, height],
        pairs: match tile.scale {
            // One value alone has no scale.
            Scale::Unit if width * height > 1 => [channel, 1],
            _ => [0, channels],
        },
    })
}
