// Where each kernel of a layer goes: one row per output unit and one column per input where a kernel has an
// extent; the selected unit's weights as one wrapped row where it is a single number.

import type { Layer, Tile, TileKind } from '../protocol';

export interface KernelSheet {
  tiles: Tile[];
  width: number;
  height: number;
  /** What is drawn, in words. */
  caption: string;
}

const GAP = 2;
const ROWS = 64;
const COLUMNS = 32;

/** Tiles in device pixels for a sheet of at most `width` of them. */
export function sheet(layer: Layer, kind: TileKind, unit: number, width: number, ratio: number): KernelSheet {
  const [outputs, inputs, h, w] = layer.kernel ?? [0, 0, 1, 1];
  const gap = Math.round(GAP * ratio);
  const make = (kernelUnit: number, input: number, x: number, y: number, factor: number): Tile => ({
    layer: layer.id,
    kind,
    unit: kernelUnit,
    input,
    x,
    y,
    width: w * factor,
    height: h * factor,
  });
  if (h * w === 1) {
    const drawn = Math.min(inputs, 1024);
    const side = Math.round((drawn <= 128 ? 12 : 7) * ratio);
    const columns = Math.max(1, Math.floor(width / (side + 1)));
    const tiles = Array.from({ length: drawn }, (_, i) =>
      make(unit, i, (i % columns) * (side + 1), Math.floor(i / columns) * (side + 1), side),
    );
    const caption = `Unit ${unit}'s ${drawn < inputs ? `first ${drawn} of ${inputs}` : inputs} weights, one per input.`;
    return { tiles, width, height: Math.ceil(drawn / columns) * (side + 1), caption };
  }
  const columns = Math.min(inputs, COLUMNS);
  const wide = inputs === 1;
  const across = wide ? Math.min(Math.ceil(Math.sqrt(outputs)), 8) : columns;
  const room = Math.floor((width - (across - 1) * gap) / across);
  const largest = ((wide ? 72 : 36) * ratio) / Math.max(w, h);
  const factor = Math.max(1, Math.min(Math.floor(room / w), Math.round(largest)));
  const [stepX, stepY] = [w * factor + gap, h * factor + gap];
  const rows = Math.min(outputs, ROWS);
  const tiles: Tile[] = [];
  for (let o = 0; o < rows; o++) {
    for (let i = 0; i < columns; i++) {
      const [column, row] = wide ? [o % across, Math.floor(o / across)] : [i, o];
      tiles.push(make(o, i, column * stepX, row * stepY, factor));
    }
  }
  const lines = wide ? Math.ceil(rows / across) : rows;
  const some = (drawn: number, all: number) => (drawn < all ? `${drawn} of ${all}` : `${all}`);
  const caption = wide
    ? `${some(rows, outputs)} kernels, one per unit.`
    : `Rows: ${some(rows, outputs)} units. Columns: ${some(columns, inputs)} inputs.`;
  return { tiles, width, height: lines * stepY, caption };
}

interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** How the slices of one of a layer's kernels stand together, about a square; single numbers without gaps. */
export function mosaic({ kernel }: Layer) {
  const [, inputs, height, width] = kernel ?? [0, 1, 1, 1];
  const columns = Math.ceil(Math.sqrt((inputs * height) / width));
  return { columns, rows: Math.ceil(inputs / columns), width, height, gap: width * height > 1 ? 1 : 0 };
}

/** The slices of a unit's kernel in a cell: all at the largest whole factor, or as many as fit. */
export function slices(layer: Layer, cell: Place): (Place & { input: number })[] {
  const inputs = layer.kernel?.[1] ?? 0;
  const { gap, ...whole } = mosaic(layer);
  let { columns, rows, width, height } = whole;
  const room = (length: number, count: number) => (length + gap) / count - gap;
  const factor = Math.floor(Math.min(room(cell.width, columns) / width, room(cell.height, rows) / height));
  if (factor < 1) {
    const fit = (length: number, each: number) => Math.max(1, Math.floor((length + gap) / (each + gap)));
    [width, height] = [Math.min(width, cell.width), Math.min(height, cell.height)];
    [columns, rows] = [fit(cell.width, width), fit(cell.height, height)];
  }
  [width, height] = [width * Math.max(factor, 1), height * Math.max(factor, 1)];
  const left = cell.x + Math.floor((cell.width - columns * (width + gap) + gap) / 2);
  const top = cell.y + Math.floor((cell.height - rows * (height + gap) + gap) / 2);
  return Array.from({ length: Math.min(inputs, columns * rows) }, (_, input) => ({
    input,
    x: left + (input % columns) * (width + gap),
    y: top + Math.floor(input / columns) * (height + gap),
    width,
    height,
  }));
}
