// From the network's layers to the blocks of the map: which layers share a block, how many of their units are
// drawn and how large, and where dagre puts each block. All sizes are CSS pixels at zoom 1.

import { Graph, layout } from '@dagrejs/dagre';

import type { Layer } from '../protocol';
import { mosaic } from './kernels';

export interface Cell {
  unit: number;
  x: number;
  y: number;
  size: [number, number];
}

export interface Block {
  /** The layer whose units are drawn. */
  shown: Layer;
  /** All layers of the block in order: the first computes, the others follow element by element. */
  layers: Layer[];
  cells: Cell[];
  columns: number;
  more: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Edge {
  from: string;
  to: string;
  points: { x: number; y: number }[];
}

export interface MapLayout {
  blocks: Block[];
  edges: Edge[];
  width: number;
  height: number;
}

export const HEADER = 56;
export const PADDING = 6;
/** Between maps; kernels, with gaps inside, stand wider apart. */
const GAP = { map: 3, kernel: 6 };
/** From so many blocks on, a network is long: fewer tiles in each block, and the map is wider than its window. */
const LONG = 14;
/** Inner widths of a block, tried from the largest; the first whose map fits the window is taken. */
const WIDTHS = [200, 168, 140, 120, 100, 88, 76, 66, 56];
const NARROW = 56;
/** Sides of the largest tiles. */
const LARGEST = { map: 112, value: 18 };
/** Pixels for a weight where not all of a layer's kernels fit. */
const LEGIBLE = 2;

interface Size {
  width: number;
  height: number;
}

/** Lays the whole network out, left to right, as large as fits the window: with its maps or its kernels. */
export function arrange(layers: Layer[], window: Size, kernels: boolean): MapLayout {
  const groups = group(layers);
  const long = groups.length > LONG;
  const widths = long ? [NARROW] : WIDTHS;
  let map: MapLayout = { blocks: [], edges: [], width: 0, height: 0 };
  for (const width of groups.length ? widths : []) {
    map = place(
      groups.map((members) => block(members, width, window.height * (long ? 0.62 : 1) - 24, kernels)),
      long,
    );
    if (map.width <= window.width && map.height <= window.height) break;
  }
  return map;
}

function place(blocks: Block[], long: boolean): MapLayout {
  const owner = new Map(blocks.flatMap((each) => each.layers.map(({ id }) => [id, each] as const)));
  const graph = new Graph();
  graph.setGraph({
    rankdir: 'LR',
    nodesep: 12,
    ranksep: long ? 18 : 12,
    marginx: 8,
    marginy: 8,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  const name = (each: Block) => (each.layers[0] as Layer).id;
  for (const each of blocks) graph.setNode(name(each), { width: each.width, height: each.height });
  for (const each of blocks) {
    for (const input of (each.layers[0] as Layer).inputs) {
      const from = owner.get(input);
      if (from && from !== each) graph.setEdge(name(from), name(each));
    }
  }
  layout(graph);
  for (const each of blocks) {
    const node = graph.node(name(each));
    each.x = Math.round(node.x - each.width / 2);
    each.y = Math.round(node.y - each.height / 2);
  }
  const edges = graph
    .edges()
    .map(({ v, w }) => ({ from: v, to: w, points: graph.edge({ v, w }).points ?? [] }));
  const size = graph.graph();
  return { blocks, edges, width: size.width ?? 0, height: size.height ?? 0 };
}

/** The layers that share a block with this one, itself included. */
export function blockOf(layers: Layer[], id: string): Layer[] {
  return group(layers).find((members) => members.some((layer) => layer.id === id)) ?? [];
}

/** A layer joins its predecessor's block when it only reshapes or maps values and nothing else reads them. */
function group(layers: Layer[]): Layer[][] {
  const readers = new Map<string, number>();
  for (const { inputs } of layers) for (const id of inputs) readers.set(id, (readers.get(id) ?? 0) + 1);
  const groups: Layer[][] = [];
  const owner = new Map<string, Layer[]>();
  for (const layer of layers) {
    const [input] = layer.inputs;
    const before = layer.inputs.length === 1 && input ? owner.get(input) : undefined;
    const last = before?.at(-1);
    const follows =
      before && last && before[0]?.inputs.length && readers.get(last.id) === 1 && last.id === input;
    if (follows && !layer.kernel && count(last) === count(layer)) {
      before.push(layer);
      owner.set(layer.id, before);
    } else {
      const fresh = [layer];
      groups.push(fresh);
      owner.set(layer.id, fresh);
    }
  }
  return groups;
}

const count = ({ shape: [c, h, w] }: Layer): number => c * h * w;

function block(layers: Layer[], inner: number, room: number, kernels: boolean): Block {
  const first = layers[0] as Layer;
  const shown = layers.findLast(({ shape }) => String(shape) === String(first.shape)) ?? first;
  const [channels, height, width] = shown.shape;
  const kernel = kernels ? layers.find((layer) => layer.kernel) : undefined;
  const picture: Picture = { columns: 1, rows: 1, width, height, gap: 0, least: 1 };
  const gap = kernel ? GAP.kernel : GAP.map;
  // The core draws a picture's three color channels as one tile.
  const maps = shown.inputs.length === 0 && channels === 3 ? 1 : channels;
  const units = kernels && !kernel && shown.inputs.length ? 0 : maps;
  const grid = tile(
    units,
    kernel ? { ...mosaic(kernel), least: LEGIBLE } : picture,
    units <= 3 ? inner * 1.5 : inner,
    Math.max(room, 260) - HEADER - PADDING - 18,
    gap,
  );
  const drawn = Math.min(units, grid.columns * grid.rows);
  const columns = Math.min(grid.columns, Math.ceil(drawn / Math.max(Math.min(grid.rows, drawn), 1)));
  const rows = Math.ceil(drawn / Math.max(columns, 1));
  const [stepX, stepY] = [grid.size[0] + gap, grid.size[1] + gap];
  const used = Math.max(columns * stepX - gap, 0);
  const outer = Math.max(used + 2 * PADDING, NARROW + 2 * PADDING);
  const cells = Array.from({ length: drawn }, (_, unit) => ({
    unit,
    x: Math.round((outer - used) / 2) + (unit % columns) * stepX,
    y: HEADER + Math.floor(unit / columns) * stepY,
    size: grid.size,
  }));
  const more = units - drawn;
  return {
    shown,
    layers,
    cells,
    columns,
    more,
    x: 0,
    y: 0,
    width: outer,
    // Room for a line where there is nothing else.
    height: HEADER + Math.max(rows * stepY - gap, 14) + PADDING + (more > 0 ? 18 : 0),
  };
}

/** What stands for a unit: a map, or the slices of its kernel in rows. */
interface Picture {
  columns: number;
  rows: number;
  width: number;
  height: number;
  gap: number;
  /** The least factor at which it is of use, so that others have to stay out. */
  least: number;
}

interface Grid {
  size: [number, number];
  columns: number;
  rows: number;
}

/** The largest whole factor at which all units fit the room; else as many as fit at the least one. */
function tile(units: number, picture: Picture, roomX: number, roomY: number, gap: number): Grid {
  const sizeAt = (factor: number): [number, number] => [
    picture.columns * (picture.width * factor + picture.gap) - picture.gap,
    picture.rows * (picture.height * factor + picture.gap) - picture.gap,
  ];
  const side = Math.max(...sizeAt(1));
  const largest = side === 1 ? LARGEST.value : Math.min(LARGEST.map, roomX);
  const at = (factor: number): Grid => {
    const size = sizeAt(factor);
    const fit = (room: number, length: number) => Math.max(1, Math.floor((room + gap) / (length + gap)));
    return { size, columns: fit(roomX, size[0]), rows: fit(roomY, size[1]) };
  };
  for (let factor = Math.floor(largest / side); factor >= picture.least; factor--) {
    const grid = at(factor);
    if (grid.columns * grid.rows >= units) return grid;
  }
  const room = roomX / side;
  return at(side === 1 ? 6 : Math.min(picture.least, room > 1 ? Math.floor(room) : room));
}
