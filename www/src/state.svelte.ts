// The page's one state. Views read it; actions.ts alone changes what concerns the laboratory.

import { extent } from './draw/colormap';
import type {
  Catalog,
  DatasetInfo,
  Evaluation,
  Info,
  Layer,
  NetworkInfo,
  RunState,
  StepEvent,
} from './protocol';
import { decode, type Settings } from './settings';

export type Layout = 'wide' | 'medium' | 'narrow';
export type Tab = 'data' | 'train' | 'look' | 'learn';
export type Theme = 'system' | 'light' | 'dark';

export interface Notice {
  id: number;
  kind: 'error' | 'note';
  message: string;
}

/** A change of the network by hand. */
export interface Edit {
  /** In words. */
  what: string;
  /** Parameters, places in them, and what stood there. */
  parts: { parameter: string; places: number[]; before: number[] }[];
}

class State {
  settings: Settings = $state(decode(location.hash));
  /** What is being waited for, in words; empty when everything is in place. */
  loading = $state('Starting the core');
  /** Why nothing can go on; empty while all is well. */
  fatal = $state('');
  info = $state.raw<Info | null>(null);
  catalog = $state.raw<Catalog | null>(null);
  dataset = $state.raw<DatasetInfo | null>(null);
  network = $state.raw<NetworkInfo | null>(null);
  notices = $state<Notice[]>([]);

  run = $state<RunState>('idle');
  latest = $state.raw<StepEvent | null>(null);
  /** Whether its weights come from elsewhere than from the seed, so that it may know something before its first step. */
  given = $state(false);
  fraction = $state(0);
  /** What training waits for before its first step, in words. */
  preparing = $state('');
  startedAt = $state(0);
  /** Every step of this run, appended in place; `historyVersion` says when. */
  history: StepEvent[] = [];
  historyVersion = $state(0);

  probe = $state.raw<{ image: Float32Array; label: number | null } | null>(null);
  probabilities = $state.raw<Float32Array | null>(null);
  /** Of each layer's channels the smallest and the largest value, pair by pair. */
  ranges = $state.raw<Record<string, Float32Array>>({});
  /** Of each layer's kernels, or of their gradients while these are looked at. */
  kernelRanges = $state.raw<Record<string, Float32Array>>({});
  /** Counts redraws of the live pictures; what reads values back follows it. */
  presented = $state(0);
  /** Per view: how many tile lists the last redraw had seen. */
  tiles = $state.raw<Record<string, number>>({});

  /** What was changed in the network by hand, and what it was before. */
  edits = $state.raw<Edit[]>([]);

  evaluation = $state.raw<Evaluation | null>(null);
  evaluating = $state<{ fraction: number; note: string } | null>(null);

  theme = $state<Theme>('system');
  dark = $state(false);
  layout = $state<Layout>('wide');
  drawer = $state(true);
  inspector = $state(true);
  tab = $state<Tab>('data');
  help = $state(false);
  hasLooked = $state(false);
  hasDrawn = $state(false);

  get ready(): boolean {
    return this.loading === '' && this.network !== null;
  }

  get layer(): Layer | null {
    const chosen = this.settings.selection?.layer;
    return this.network?.layers.find(({ id }) => id === chosen) ?? null;
  }

  get unit(): number {
    const units = this.layer?.shape[0] ?? 1;
    return Math.min(this.settings.selection?.unit ?? 0, units - 1);
  }

  /** The values that the colors of a unit's map cover. */
  rangeOf({ id, shape: [, height, width] }: Layer, unit: number): [number, number] {
    // One value alone has no scale.
    const scale = this.settings.colors === 'unit' && height * width === 1 ? 'layer' : this.settings.colors;
    const pairs = this.ranges[id] ?? new Float32Array([0, 1]);
    if (scale === 'unit') return extent(pairs.subarray(2 * unit, 2 * unit + 2));
    // The input's colors are its own.
    const isInput = id === this.network?.layers[0]?.id;
    if (scale === 'layer' || isInput) return extent(pairs);
    const ends = this.network?.layers.slice(1).map((layer) => extent(this.ranges[layer.id] ?? [])) ?? [];
    return extent(ends.flat());
  }

  /** Seconds until the run ends; null when it has no end or nothing is known yet. */
  get secondsLeft(): number | null {
    if (this.run !== 'training' || this.settings.epochs === null || this.fraction <= 0.005) return null;
    return ((performance.now() - this.startedAt) / 1000) * (1 / this.fraction - 1);
  }

  get diverged(): boolean {
    return this.latest !== null && !Number.isFinite(this.latest.loss);
  }
}

export const app = new State();
