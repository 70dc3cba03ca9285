//! Live tiles: which words of which device buffer each one shows, where, and in which colors. Both
//! presenters draw from this description; [`paint`] is the CPU form of `shaders/tiles.wgsl`.

use std::ops::Range;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::nn::Network;
use crate::program::View;
use crate::train::{Probe, Session};

use super::colors::{Colors, sample};
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

/// Draws the tiles of one group into `pixels`, RGBA rows of `size[0]` pixels. Each cell's color is found
/// once, a row of cells is painted once and copied to the rows of pixels that it covers.
pub fn paint(
    (tiles, mode): (&[Placed], Mode),
    source: &[f32],
    ranges: &[f32],
    colors: &Colors,
    size: [usize; 2],
    pixels: &mut [u8],
) {
    for tile in tiles {
        let [first, pairs] = tile.pairs.map(|n| 2 * n as usize);
        let color = coloring(mode, source, &ranges[first..first + pairs], colors);
        let [x, y, width, height] = tile.rect;
        let columns = covered(x, width, size[0]);
        if columns.is_empty() {
            continue;
        }
        let cell = |pixel: usize, from: f32, length: f32, cells: u32| {
            let cell = ((pixel as f32 + 0.5 - from) / length * cells as f32) as u32;
            cell.min(cells - 1)
        };
        let mut painted: Option<(u32, usize)> = None;
        for row in covered(y, height, size[1]) {
            let v = cell(row, y, height, tile.cells[1]);
            let start = (row * size[0] + columns.start) * 4;
            let end = (row * size[0] + columns.end) * 4;
            match painted {
                Some((same, from)) if same == v => {
                    pixels.copy_within(from..from + (end - start), start);
                }
                _ => {
                    let mut last = None;
                    let mut rgba = [0; 4];
                    for (column, pixel) in
                        columns.clone().zip(pixels[start..end].chunks_exact_mut(4))
                    {
                        let u = cell(column, x, width, tile.cells[0]);
                        if last != Some(u) {
                            let at = tile.base + u * tile.stride_x + v * tile.stride_y;
                            let [r, g, b] =
                                color(at as usize).map(|channel| (channel * 255.0 + 0.5) as u8);
                            (last, rgba) = (Some(u), [r, g, b, 255]);
                        }
                        pixel.copy_from_slice(&rgba);
                    }
                    painted = Some((v, start));
                }
            }
        }
    }
}

/// The pixels of an axis of `limit` that a tile from `from` on covers.
fn covered(from: f32, length: f32, limit: usize) -> Range<usize> {
    let end = (from + length).clamp(0.0, limit as f32) as usize;
    (from.max(0.0) as usize).min(end)..end
}

/// The color of each word of `source`, in 0..1, on a scale over these ranges.
fn coloring(
    mode: Mode,
    source: &[f32],
    ranges: &[f32],
    colors: &Colors,
) -> impl Fn(usize) -> [f32; 3] {
    let low = ranges
        .iter()
        .step_by(2)
        .fold(f32::INFINITY, |m, x| m.min(*x));
    let high = ranges
        .iter()
        .skip(1)
        .step_by(2)
        .fold(f32::NEG_INFINITY, |m, x| m.max(*x));
    let diverging = mode == Mode::Symmetric || low < 0.0;
    let extent = if diverging {
        high.abs().max(low.abs())
    } else {
        high
    }
    .max(1e-12);
    move |at| match mode {
        Mode::Gray => [source[at].clamp(0.0, 1.0); 3],
        Mode::Rgb => [0, 1, 2].map(|i| source[at + i].clamp(0.0, 1.0)),
        _ if diverging => sample(&colors.diverging, 0.5 + 0.5 * source[at] / extent),
        _ => sample(&colors.sequential, source[at] / extent),
    }
}

#[cfg(test)]
mod tests {
    use super::{Colors, Mode, Placed, paint};

    #[test]
    fn tiles_are_whole_cells_in_the_maps_colors() {
        let colors = Colors::load().unwrap();
        let tile = Placed {
            rect: [1.0, 0.0, 4.0, 2.0],
            base: 1,
            stride_x: 2,
            stride_y: 4,
            cells: [2, 1],
            pairs: [0, 2],
        };
        let mut pixels = [0; 6 * 2 * 4];
        let source = [9.0, -1.0, 9.0, 1.0];
        paint(
            (&[tile], Mode::Scaled),
            &source,
            &[-1.0, 0.5, 0.0, 1.0],
            &colors,
            [6, 2],
            &mut pixels,
        );
        let at = |x: usize, y: usize| pixels[(y * 6 + x) * 4..][..4].to_vec();
        let byte = |rgb: [f32; 3]| {
            let [r, g, b] = rgb.map(|x| (x * 255.0).round() as u8);
            vec![r, g, b, 255]
        };
        assert_eq!(at(0, 0), [0; 4], "outside the tile");
        for (x, y) in [(1, 0), (2, 1)] {
            assert_eq!(at(x, y), byte(colors.diverging[0]), "the negative cell");
        }
        for (x, y) in [(3, 0), (4, 1)] {
            assert_eq!(at(x, y), byte(colors.diverging[8]), "the positive cell");
        }
        assert_eq!(at(5, 0), [0; 4], "outside the tile");

        // On the second pair alone, nothing is negative: the sequential scale, from 0 to 1.
        let own = Placed {
            pairs: [1, 1],
            ..tile
        };
        let group = (&[own][..], Mode::Scaled);
        let ranges = [-1.0, 0.5, 0.0, 1.0];
        paint(group, &source, &ranges, &colors, [6, 2], &mut pixels);
        let at = |x: usize, y: usize| pixels[(y * 6 + x) * 4..][..4].to_vec();
        assert_eq!(at(1, 0), byte(colors.sequential[0]), "below the scale");
        assert_eq!(at(3, 0), byte(colors.sequential[8]), "its upper end");
    }
}
