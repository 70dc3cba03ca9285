//! Draws live tiles into pixels in host memory: the CPU form of `shaders/tiles.wgsl`. This runs between training
//! steps on the same core, so a color is one look into a table, each row of cells is painted once and copied to the
//! other rows of pixels that it covers, and the innermost loop calls nothing (this room is compiled for size).

use std::ops::Range;

use crate::error::Result;

use super::colors::{Colors, sample};
use super::tiles::{Mode, Placed};

/// Steps of a table of colors: more than a map has that differ by one level of a channel.
const STEPS: usize = 1024;

/// Pixels of a color map from its lower end to its upper one: RGBA, in the order in which memory has them.
type Table = Box<[u32]>;

/// The color maps as tables.
#[derive(Debug)]
pub struct ColorTables {
    sequential: Table,
    diverging: Table,
    gray: Table,
}

/// A pixel of a color in 0..1.
fn pixel(color: [f32; 3]) -> u32 {
    let [r, g, b] = color.map(|channel| (channel.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
    u32::from_ne_bytes([r, g, b, 255])
}

impl ColorTables {
    /// The page's.
    ///
    /// # Errors
    /// When the file that they are in is not two lists of nine hex colors.
    pub fn load() -> Result<Self> {
        let Colors {
            sequential,
            diverging,
        } = Colors::load()?;
        let table = |color: &dyn Fn(f32) -> [f32; 3]| -> Table {
            let at = |step| step as f32 / (STEPS - 1) as f32;
            (0..STEPS).map(|step| pixel(color(at(step)))).collect()
        };
        Ok(Self {
            sequential: table(&|t| sample(&sequential, t)),
            diverging: table(&|t| sample(&diverging, t)),
            gray: table(&|t| [t; 3]),
        })
    }

    /// The table for values on a scale over these ranges, and which factor and shift bring a value to 0..1 of it.
    fn scale(&self, mode: Mode, ranges: &[f32]) -> (&[u32], f32, f32) {
        if matches!(mode, Mode::Gray | Mode::Rgb) {
            return (&self.gray, 1.0, 0.0);
        }
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for pair in ranges.chunks_exact(2) {
            (low, high) = (low.min(pair[0]), high.max(pair[1]));
        }
        if mode == Mode::Symmetric || low < 0.0 {
            let extent = high.abs().max(low.abs()).max(1e-12);
            return (&self.diverging, 0.5 / extent, 0.5);
        }
        (&self.sequential, 1.0 / high.max(1e-12), 0.0)
    }
}

/// Draws the tiles of one group into `pixels`, rows of `size[0]` pixels.
pub fn paint(
    (tiles, mode): (&[Placed], Mode),
    source: &[f32],
    ranges: &[f32],
    tables: &ColorTables,
    size: [usize; 2],
    pixels: &mut [u32],
) {
    // From the first word of a row of cells to that of each column of pixels.
    let mut words = Vec::new();
    for tile in tiles {
        let [first, pairs] = tile.pairs.map(|n| 2 * n as usize);
        let (table, factor, shift) = tables.scale(mode, &ranges[first..first + pairs]);
        let last = (table.len() - 1) as f32;
        // Rounded to the nearest step.
        let (factor, shift) = (factor * last, shift * last + 0.5);
        let [x, y, width, height] = tile.rect;
        let columns = covered(x, width, size[0]);
        words.clear();
        words.extend(
            columns
                .clone()
                .map(|column| cell(column, x, width, tile.cells[0]) * tile.stride_x as usize),
        );
        let mut painted: Option<(usize, usize)> = None;
        for row in covered(y, height, size[1]) {
            let base =
                tile.base as usize + cell(row, y, height, tile.cells[1]) * tile.stride_y as usize;
            let start = row * size[0] + columns.start;
            let end = start + columns.len();
            if let Some((_, from)) = painted.filter(|(same, _)| *same == base) {
                pixels.copy_within(from..from + columns.len(), start);
                continue;
            }
            painted = Some((base, start));
            let source = &source[base..];
            if mode == Mode::Rgb {
                for (out, &at) in pixels[start..end].iter_mut().zip(&words) {
                    *out = pixel([source[at], source[at + 1], source[at + 2]]);
                }
                continue;
            }
            for (out, &at) in pixels[start..end].iter_mut().zip(&words) {
                // What is below the scale, or not a number, becomes 0.
                let step = (source[at] * factor + shift) as usize;
                *out = table[step.min(table.len() - 1)];
            }
        }
    }
}

/// Which of the cells along an axis a pixel shows.
fn cell(pixel: usize, from: f32, length: f32, cells: u32) -> usize {
    let cell = ((pixel as f32 + 0.5 - from) / length * cells as f32) as usize;
    cell.min(cells as usize - 1)
}

/// The pixels of an axis of `limit` that a tile from `from` on covers.
fn covered(from: f32, length: f32, limit: usize) -> Range<usize> {
    let end = (from + length).clamp(0.0, limit as f32) as usize;
    (from.max(0.0) as usize).min(end)..end
}

#[cfg(test)]
mod tests {
    use super::{ColorTables, Mode, Placed, paint};
    use crate::web::colors::{Colors, sample};

    fn byte(rgb: [f32; 3]) -> [u8; 4] {
        let [r, g, b] = rgb.map(|x| (x * 255.0).round() as u8);
        [r, g, b, 255]
    }

    #[test]
    fn tiles_are_whole_cells_in_the_maps_colors() {
        let (colors, tables) = (Colors::load().unwrap(), ColorTables::load().unwrap());
        let tile = Placed {
            rect: [1.0, 0.0, 4.0, 2.0],
            base: 1,
            stride_x: 2,
            stride_y: 4,
            cells: [2, 1],
            pairs: [0, 2],
        };
        let mut pixels = [0; 6 * 2];
        let source = [9.0, -1.0, 9.0, 1.0];
        let ranges = [-1.0, 0.5, 0.0, 1.0];
        let group = (&[tile][..], Mode::Scaled);
        paint(group, &source, &ranges, &tables, [6, 2], &mut pixels);
        let at = |pixels: &[u32], x: usize, y: usize| pixels[y * 6 + x].to_ne_bytes();
        assert_eq!(at(&pixels, 0, 0), [0; 4], "outside the tile");
        for (x, y) in [(1, 0), (2, 1)] {
            let found = at(&pixels, x, y);
            assert_eq!(found, byte(colors.diverging[0]), "the negative cell");
        }
        for (x, y) in [(3, 0), (4, 1)] {
            let found = at(&pixels, x, y);
            assert_eq!(found, byte(colors.diverging[8]), "the positive cell");
        }
        assert_eq!(at(&pixels, 5, 0), [0; 4], "outside the tile");

        // On the second pair alone, nothing is negative: the sequential scale, from 0 to 1.
        let own = Placed {
            pairs: [1, 1],
            ..tile
        };
        let group = (&[own][..], Mode::Scaled);
        paint(group, &source, &ranges, &tables, [6, 2], &mut pixels);
        let below = at(&pixels, 1, 0);
        assert_eq!(below, byte(colors.sequential[0]), "below the scale");
        let end = at(&pixels, 3, 0);
        assert_eq!(end, byte(colors.sequential[8]), "its upper end");
    }

    #[test]
    fn tables_have_the_colors_of_the_maps() {
        let (colors, tables) = (Colors::load().unwrap(), ColorTables::load().unwrap());
        let source: Vec<f32> = (0..=700).map(|i| i as f32 / 350.0 - 1.0).collect();
        let cells = [source.len() as u32, 1];
        let tile = Placed {
            rect: [0.0, 0.0, source.len() as f32, 1.0],
            base: 0,
            stride_x: 1,
            stride_y: 0,
            cells,
            pairs: [0, 1],
        };
        type Color<'a> = &'a dyn Fn(f32) -> [f32; 3];
        let rows: [(Mode, [f32; 2], Color<'_>); 3] = [
            (Mode::Scaled, [0.0, 1.0], &|x| sample(&colors.sequential, x)),
            (Mode::Symmetric, [-0.5, 1.0], &|x| {
                sample(&colors.diverging, 0.5 + 0.5 * x)
            }),
            (Mode::Gray, [0.0, 1.0], &|x| [x.clamp(0.0, 1.0); 3]),
        ];
        for (mode, range, color) in rows {
            let mut pixels = vec![0; source.len()];
            let size = [source.len(), 1];
            paint((&[tile], mode), &source, &range, &tables, size, &mut pixels);
            for (value, found) in source.iter().zip(pixels) {
                let expected = byte(color(*value));
                let pairs = found.to_ne_bytes().into_iter().zip(expected);
                assert!(
                    pairs
                        .clone()
                        .all(|(found, expected)| found.abs_diff(expected) <= 1),
                    "{mode:?} of {value}: expected {expected:?}, found {:?}",
                    found.to_ne_bytes()
                );
            }
        }
        let mut rgb = [0];
        let tile = Placed {
            rect: [0.0, 0.0, 1.0, 1.0],
            cells: [1, 1],
            ..tile
        };
        let group = (&[tile][..], Mode::Rgb);
        paint(
            group,
            &[0.2, 7.0, f32::NAN],
            &[0.0, 1.0],
            &tables,
            [1, 1],
            &mut rgb,
        );
        assert_eq!(rgb[0].to_ne_bytes(), [51, 255, 0, 255]);
    }
}
