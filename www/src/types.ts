// The values that the core answers with and takes. NCHW and OIHW everywhere.
// Those with a name of the core's are generated from it (src/web/messages.rs).

import type { StepEvent } from './gen/StepEvent';

export type { Field } from './gen/Field';
export type { Entry } from './gen/Entry';
export type { Catalog } from './gen/Catalog';
export type { DatasetInfo } from './gen/DatasetInfo';
export type { Layer } from './gen/Layer';
export type { NetworkInfo } from './gen/NetworkInfo';
export type { StepEvent } from './gen/StepEvent';
export type { Evaluation } from './gen/Evaluation';
export type { Counters } from './gen/Counters';
export type { Tile } from './gen/Tile';
export type { TileKind } from './gen/TileKind';
export type { Scale } from './gen/Scale';
export type { ArchitectureEntry as Architecture } from './gen/ArchitectureEntry';
export type { MethodEntry as Method } from './gen/MethodEntry';
export type { AugmentationEntry as Augmentation } from './gen/AugmentationEntry';

export type Options = Record<string, number | string | boolean>;

export interface Info {
  backend: 'webgpu' | 'cpu';
  adapter: string;
  software: boolean;
  version: string;
  note?: string | null;
}

export interface Tensor {
  shape: number[];
  data: Float32Array;
}

export interface Picture {
  title: string;
  width: number;
  height: number;
  channels: number;
  data: Float32Array;
  signed: boolean;
  /** What is wrong with it or to be known of it, in plain words. */
  note?: string | null;
  /** An image; a map, a measurement for every pixel; or a plot whose rows are curves. */
  shown?: 'image' | 'map' | 'curves';
  /** What the first and the last step of curves are. */
  ends?: [string, string];
  /** The unit, by layer and channel, that one may go on to from here. */
  unit?: [string, number];
}

/** An entry of the catalog with its settings. */
export type Picked = { id: string } & Options;

export interface AugmentOptions {
  augmentations?: Picked[];
  count?: number;
  seed?: number;
}

export interface EvaluateOptions {
  split?: string;
  averaged?: boolean;
}

export interface TrainOptions {
  epochs?: number;
  steps?: number;
  batchSize?: number;
  optimizer?: Picked;
  schedule?: Picked;
  loss?: Picked;
  augmentations?: Picked[];
  clipNorm?: number;
  clipValue?: number;
  averaging?: number;
  seed?: number;
}

export interface VisualizeOptions {
  layer?: string;
  channel?: number;
  image?: Float32Array;
  /** For a method that takes directions: one weight for each unit of the layer, direction by direction. */
  directions?: Float32Array;
  seed?: number;
  [field: string]: unknown;
}

export type NamedBytes = { name: string; bytes: Uint8Array };

/** What one slice of a job brought. */
export interface Progress {
  done: boolean;
  fraction: number;
  note: string;
  /** Whether the job only waits, as for kernels to be compiled: nothing is gained by asking again at once. */
  waits: boolean;
  /** Whether the job should take only a small share of the time while a network learns. */
  background: boolean;
  steps: StepEvent[];
  report?: unknown;
  pictures?: Picture[];
}
