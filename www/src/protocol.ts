// Everything that crosses between the page and the worker: what can be asked (Calls), what is answered,
// and what the worker tells by itself (LabEvent). Numbers in bulk are typed arrays and travel by transfer.

import type {
  AugmentOptions,
  Catalog,
  Counters,
  DatasetInfo,
  EvaluateOptions,
  Evaluation,
  Info,
  NamedBytes,
  NetworkInfo,
  Options,
  Picture,
  StepEvent,
  Tensor,
  Tile,
  TileKind,
  TrainOptions,
  VisualizeOptions,
} from './types';

export type * from './types';

export type RunState = 'idle' | 'training' | 'paused';

/** What the page can ask; every call is answered once, with a value or the core's error sentence. */
export interface Calls {
  create(backend?: string, drawing?: string): Info;
  info(): Info;
  catalog(): Catalog;
  dataset(): DatasetInfo;
  network(): NetworkInfo;
  setDataset(choice: { id: string; options?: Options }): DatasetInfo;
  setDatasetFiles(name: string, files: NamedBytes[]): DatasetInfo;
  setNetwork(choice: { id: string; options?: Options } | { spec: object }): NetworkInfo;
  train(options: TrainOptions): StepEvent;
  pause(): void;
  reset(seed?: number): void;
  evaluate(options: EvaluateOptions): Evaluation;
  predict(image: Float32Array): Float32Array;
  example(index: number, split?: string): { image: Float32Array; label: number };
  augment(index: number, options: AugmentOptions): Picture[];
  activations(layer: string, image: Float32Array): Tensor;
  features(layer: string, indices: Uint32Array, split?: string): Tensor;
  parameters(): Record<string, Tensor>;
  setParameters(parameters: Record<string, Tensor>): void;
  visualize(panel: string, options: VisualizeOptions & { method: string }): Picture[];
  stop(panel: string): void;
  counters(): Counters;
  attachCanvas(view: string, canvas: OffscreenCanvas): void;
  resizeCanvas(view: string, width: number, height: number): void;
  setTiles(view: string, tiles: Tile[], background: string): void;
  setProbe(image: Float32Array, label?: number): void;
  setVisible(visible: boolean): void;
  probabilities(): Float32Array;
  ranges(kind: TileKind): Record<string, Float32Array>;
}

export type CallName = keyof Calls;
export type Request = { id: number; method: CallName; args: unknown[] };
export type Answer = { id: number; value: unknown } | { id: number; error: string };

/**
 * What the worker tells by itself. `progress` belongs to a panel: a visualization's, "train" or "evaluate". After an error
 * `kept` says that the network has begun anew with what it had learned.
 */
export type LabEvent =
  | { event: 'step'; steps: StepEvent[] }
  | { event: 'epoch'; epoch: number; loss: number; accuracy: number }
  | { event: 'state'; state: RunState }
  | { event: 'progress'; panel: string; fraction: number; note: string; waits: boolean; pictures?: Picture[] }
  | { event: 'presented'; tiles: Record<string, number> }
  | { event: 'error'; message: string; fatal: boolean; kept?: boolean };
