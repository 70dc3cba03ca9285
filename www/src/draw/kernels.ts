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

/** How the slices of one of a layer's kernels stand together, about a square. */
export function mosaic({ kernel }: Layer) {
  const [, inputs, height, width] = kernel ?? [0, 1, 1, 1];
  const columns = Math.ceil(Math.sqrt((inputs * height) / width));
  return { columns, rows: Math.ceil(inputs / columns), width, height };
}

/** The slices of a unit's kernel in a cell: side by side at the largest whole factor, or as many as fit. */
export function slices({ kernel }: Layer, cell: Place): (Place & { input: number })[] {
  const [, inputs, h, w] = kernel ?? [0, 0, 1, 1];
  const fit = (room: number, length: number) => Math.max(1, Math.floor((room + 1) / (length + 1)));
  let factor = Math.max(1, Math.floor(Math.min(cell.width / w, cell.height / h)));
  while (factor > 1 && fit(cell.width, w * factor) * fit(cell.height, h * factor) < inputs) factor--;
  const [width, height] = [Math.min(w * factor, cell.width), Math.min(h * factor, cell.height)];
  const columns = Math.min(fit(cell.width, width), inputs);
  const drawn = Math.min(inputs, columns * fit(cell.height, height));
  const rows = Math.ceil(drawn / columns);
  const left = cell.x + Math.floor((cell.width - columns * (width + 1) + 1) / 2);
  const top = cell.y + Math.floor((cell.height - rows * (height + 1) + 1) / 2);
  return Array.from({ length: drawn }, (_, input) => ({
    input,
    x: left + (input % columns) * (width + 1),
    y: top + Math.floor(input / columns) * (height + 1),
    width,
    height,
  }));
}
