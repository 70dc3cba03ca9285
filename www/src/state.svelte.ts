// The page's one state. Views read it; actions.ts alone changes what concerns the laboratory.

import type {
  Catalog,
  DatasetInfo,
  Evaluation,
  Info,
  Layer,
  NetworkInfo,
  RunState,
  StepEvent,
  Tensor,
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
  fraction = $state(0);
  /** What training waits for before its first step, in words. */
  preparing = $state('');
  startedAt = $state(0);
  /** Every step of this run, appended in place; `historyVersion` says when. */
  history: StepEvent[] = [];
  historyVersion = $state(0);

  probe = $state.raw<{ image: Float32Array; label: number | null } | null>(null);
  probabilities = $state.raw<Float32Array | null>(null);
  ranges = $state.raw<Record<string, [number, number]>>({});
  parameters = $state.raw<Record<string, Tensor>>({});
  /** Counts redraws of the live pictures; what reads values back follows it. */
  presented = $state(0);
  /** Per view: how many tile lists the last redraw had seen. */
  tiles = $state.raw<Record<string, number>>({});

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
