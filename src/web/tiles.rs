//! Live tiles: which words of which device buffer each one shows, where, and in which colors. Both
//! presenters draw from this description; [`paint`] is the CPU form of `shaders/tiles.wgsl`.

use std::ops::Range;

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
    tiles: &[Tile],
) -> Result<Vec<Group<B>>> {
    let mut groups: Vec<((usize, TileKind, bool), Group<B>)> = Vec::new();
    let network = session.network();
    for tile in tiles {
        let index = layer_index(network, &tile.layer)?;
        let mut placed = place(network, index, tile)?;
        let global = tile.scale == Scale::Global && tile.kind == TileKind::Activation;
        let key = (index, tile.kind, global);
        if global {
            placed.pairs = [0, 2];
        }
        if let Some((_, group)) = groups.iter_mut().find(|(other, _)| *other == key) {
            group.tiles.push(placed);
            continue;
        }
        let (source, range, mode) = match tile.kind {
            TileKind::Activation => {
                let [source, range] = probe.layer_buffers(index);
                let range = if global { probe.global_range() } else { range };
                let mode = match (index, network.spec.input[0]) {
                    (0, 3) => Mode::Rgb,
                    (0, _) => Mode::Gray,
                    _ => Mode::Scaled,
                };
                (source, range, mode)
            }
            TileKind::Kernel => {
                let range = probe.weight_range_buffer(index);
                let buffer = session.buffer("parameters");
                let (Some(range), Some(buffer), Some(weight)) =
                    (range, buffer, network.layers[index].weight)
                else {
                    return Err(Error::mismatch(tile.layer.as_str(), "kernels", "none"));
                };
                let parameter = &network.parameters[weight];
                let words = parameter.shape.elements();
                let view = View {
                    buffer: range.1.buffer,
                    offset: parameter.offset,
                    words,
                };
                ((buffer, view), range, Mode::Symmetric)
            }
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
        TileKind::Activation => {
            let [c, h, w] = layer.shape;
            let unit = below("unit", tile.unit, c)?;
            [unit, c, w * c, w, h, unit, c]
        }
        TileKind::Kernel => {
            let weight = layer.weight.map(|index| &network.parameters[index]);
            let Some(weight) = weight.filter(|weight| weight.shape.rank() == 4) else {
                return Err(Error::mismatch(
                    layer.id.as_str(),
                    "a layer with kernels",
                    "none",
                ));
            };
            let [h, w, i, o] = weight.shape.four(&layer.id)?;
            // A filter that is shared (over slices, over turns) makes several blocks of channels.
            let unit = below("kernel", tile.unit, layer.shape[0])? % o;
            let input = below("kernel input", tile.input, i)?;
            [input * o + unit, i * o, w * i * o, w, h, unit, o]
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

/// The two color maps of the page, 9 anchors each, RGB in 0..1.
#[derive(Debug, Clone, PartialEq)]
pub struct Colors {
    /// For values that are never negative.
    pub sequential: Vec<[f32; 3]>,
    /// For signed values; the middle is zero.
    pub diverging: Vec<[f32; 3]>,
}

/// Anchors of each color map.
const N_ANCHORS: usize = 9;

impl Colors {
    /// The maps that the page uses too.
    ///
    /// # Errors
    /// When the file they are in is not two lists of nine hex colors.
    pub fn load() -> Result<Self> {
        let text = include_str!("../../www/src/draw/colormaps.json");
        let wrong = |found: String| Error::mismatch("colormaps.json", "9 hex colors a map", found);
        let maps: serde_json::Value =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let map = |name: &str| -> Result<Vec<[f32; 3]>> {
            let anchors = maps[name]
                .as_array()
                .ok_or_else(|| wrong(format!("no {name}")))?;
            let colors: Vec<_> = anchors
                .iter()
                .filter_map(|c| c.as_str().and_then(rgb_from_hex))
                .collect();
            if colors.len() != N_ANCHORS {
                return Err(wrong(format!("{} in {name}", colors.len())));
            }
            Ok(colors)
        };
        Ok(Self {
            sequential: map("sequential")?,
            diverging: map("diverging")?,
        })
    }
}

/// "#rrggbb" as RGB in 0..1.
pub(super) fn rgb_from_hex(hex: &str) -> Option<[f32; 3]> {
    let digits = hex
        .strip_prefix('#')
        .filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?].map(|byte| f32::from(byte) / 255.0))
}

/// The color at `t` in 0..1 of a map, linear between its anchors.
fn sample(map: &[[f32; 3]], t: f32) -> [f32; 3] {
    let at = t.clamp(0.0, 1.0) * (N_ANCHORS - 1) as f32;
    let left = (at as usize).min(N_ANCHORS - 2);
    let share = at - left as f32;
    [0, 1, 2].map(|i| map[left][i] + share * (map[left + 1][i] - map[left][i]))
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
