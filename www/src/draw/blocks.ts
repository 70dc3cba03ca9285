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

export const HEADER = 44;
export const PADDING = 8;
const GAP = 3;
const LONG = 14;

/** Lays the whole network out, left to right. */
export function arrange(layers: Layer[]): MapLayout {
  const groups = group(layers);
  const blocks = groups.map((members) => block(members, groups.length > LONG));
  const owner = new Map(blocks.flatMap((each) => each.layers.map(({ id }) => [id, each] as const)));
  const graph = new Graph();
  graph.setGraph({
    rankdir: 'LR',
    nodesep: 20,
    ranksep: groups.length > LONG ? 20 : 32,
    marginx: 12,
    marginy: 12,
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

function block(layers: Layer[], long: boolean): Block {
  const first = layers[0] as Layer;
  const shown = layers.findLast(({ shape }) => String(shape) === String(first.shape)) ?? first;
  const [units, height, width] = shown.shape;
  const vector = height === 1 && width === 1;
  const limit = vector ? (long ? 32 : 128) : long ? 6 : 24;
  const drawn = Math.min(units, limit);
  const size = tileSize(width, height, drawn, long);
  const columns = vector ? Math.ceil(drawn / Math.min(drawn, 16)) : columnsFor(drawn);
  const cells = Array.from({ length: drawn }, (_, unit) => ({
    unit,
    x: PADDING + (unit % columns) * (size[0] + GAP),
    y: HEADER + Math.floor(unit / columns) * (size[1] + GAP),
    size,
  }));
  const rows = Math.ceil(drawn / columns);
  const inner = columns * (size[0] + GAP) - GAP;
  return {
    shown,
    layers,
    cells,
    columns,
    more: units - drawn,
    x: 0,
    y: 0,
    width: Math.max(inner + 2 * PADDING, long ? 84 : 96),
    height: HEADER + rows * (size[1] + GAP) - GAP + PADDING + (units > drawn ? 20 : 0),
  };
}

/** Whole-factor tile sizes, larger where there are few. */
function tileSize(width: number, height: number, drawn: number, long: boolean): [number, number] {
  const side = Math.max(width, height);
  if (side === 1) return drawn <= 16 ? [18, 18] : [11, 11];
  const target = long ? 34 : drawn <= 3 ? 112 : drawn <= 8 ? 62 : 44;
  const factor = Math.max(1, Math.floor(target / side));
  return side > target
    ? [(width * target) / side, (height * target) / side]
    : [width * factor, height * factor];
}

function columnsFor(drawn: number): number {
  if (drawn <= 3) return 1;
  if (drawn <= 8) return 2;
  return drawn <= 12 ? 3 : 4;
}
