// From the network's layers to the blocks of the map: which layers share a block, how many of their units are
// drawn and how large, and where dagre puts each block. All sizes are CSS pixels at zoom 1.

import { Graph, layout } from '@dagrejs/dagre';

import type { Layer } from '../protocol';

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

export const HEADER = 42;
export const PADDING = 8;
const GAP = 3;
/** From so many blocks on, a network is long: fewer tiles in each block, and the map is wider than its window. */
const LONG = 14;
/** Tile scales tried from the largest; the first whose map fits the window is taken. */
const SCALES = [1.8, 1.5, 1.25, 1, 0.8, 0.62, 0.5];

interface Size {
  width: number;
  height: number;
}

/** Lays the whole network out, left to right, as large as fits the window. */
export function arrange(layers: Layer[], window: Size): MapLayout {
  const groups = group(layers);
  const long = groups.length > LONG;
  const scales = long ? [1] : SCALES;
  let map: MapLayout = { blocks: [], edges: [], width: 0, height: 0 };
  for (const scale of groups.length ? scales : []) {
    map = place(
      groups.map((members) => block(members, scale, long, window.height - 24)),
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
    nodesep: 16,
    ranksep: long ? 18 : 22,
    marginx: 10,
    marginy: 10,
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

function block(layers: Layer[], scale: number, long: boolean, room: number): Block {
  const first = layers[0] as Layer;
  const shown = layers.findLast(({ shape }) => String(shape) === String(first.shape)) ?? first;
  const [units, height, width] = shown.shape;
  const size = tileSize(width, height, units, scale, long);
  const [stepX, stepY] = [size[0] + GAP, size[1] + GAP];
  const rowsThatFit = Math.max(1, Math.floor((Math.max(room, 240) - HEADER - PADDING - 20) / stepY));
  const columnsThatFit = Math.max(1, Math.floor((long ? 60 : 110 * Math.max(scale, 0.7)) / stepX));
  const drawn = Math.min(units, rowsThatFit * columnsThatFit, 256);
  const columns = Math.ceil(drawn / rowsThatFit);
  const rows = Math.ceil(drawn / columns);
  const inner = columns * stepX - GAP;
  const outer = Math.max(inner + 2 * PADDING, 74);
  const cells = Array.from({ length: drawn }, (_, unit) => ({
    unit,
    x: Math.round((outer - inner) / 2) + (unit % columns) * stepX,
    y: HEADER + Math.floor(unit / columns) * stepY,
    size,
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
    height: HEADER + rows * stepY - GAP + PADDING + (more > 0 ? 18 : 0),
  };
}

/** Whole-factor tile sizes, larger where there are few units. */
function tileSize(
  width: number,
  height: number,
  units: number,
  scale: number,
  long: boolean,
): [number, number] {
  const side = Math.max(width, height);
  if (side === 1) {
    const cell = Math.round((units <= 16 ? 18 : 9) * Math.max(scale, 0.8));
    return [cell, cell];
  }
  const target = (long ? 34 : units <= 3 ? 86 : units <= 8 ? 60 : 44) * scale;
  const factor = Math.max(1, Math.floor(target / side));
  const shrink = side * factor > 2 * target ? (2 * target) / (side * factor) : 1;
  return [width * factor * shrink, height * factor * shrink];
}
