// The values that the core answers with and takes. NCHW and OIHW everywhere.

export type Options = Record<string, number | string | boolean>;

export interface Field {
  name: string;
  doc: string;
  kind:
    | { type: 'number' | 'integer'; min: number; max: number; default: number }
    | { type: 'bool'; default: boolean }
    | { type: 'choice'; options: string[]; default: string };
}

export interface Entry {
  id: string;
  name: string;
  doc: string;
  fields: Field[];
}

export interface Architecture extends Entry {
  family: string;
  input: [number, number, number];
  classes: number;
  params: number;
  macs: number;
}

export interface Method extends Entry {
  needs: { layer: boolean; channel: boolean; image: boolean };
}

export interface Catalog {
  datasets: Entry[];
  architectures: Architecture[];
  layers: Entry[];
  optimizers: Entry[];
  schedules: Entry[];
  augmentations: Entry[];
  visualizations: Method[];
}

export interface Info {
  backend: 'webgpu' | 'cpu';
  adapter: string;
  software: boolean;
  version: string;
  note?: string | null;
}

export interface DatasetInfo {
  name: string;
  classes: string[];
  shape: [number, number, number];
  train: number;
  test: number;
}

export interface Layer {
  id: string;
  kind: string;
  doc: string;
  inputs: string[];
  shape: [number, number, number];
  params: number;
  macs: number;
  receptiveField: number;
  kernel: [number, number, number, number] | null;
}

export interface NetworkInfo {
  name: string;
  layers: Layer[];
  params: number;
  macs: number;
}

export interface Tensor {
  shape: number[];
  data: Float32Array;
}

export interface Tile {
  layer: string;
  kind: 'activation' | 'kernel';
  unit: number;
  input?: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface StepEvent {
  step: number;
  epoch: number;
  loss: number;
  accuracy: number;
  imagesPerSecond: number;
}

export interface Picture {
  title: string;
  width: number;
  height: number;
  channels: number;
  data: Float32Array;
  signed: boolean;
}

export interface Evaluation {
  loss: number;
  accuracy: number;
  confusion: number[][];
}

export interface Counters {
  dispatches: number;
  submits: number;
  buffersCreated: number;
  bindGroupsCreated: number;
  bytesWritten: number;
  readbacks: number;
  gpuBytes: number;
}

export interface TrainOptions {
  epochs?: number;
  steps?: number;
  batchSize?: number;
  optimizer?: { id: string } & Options;
  schedule?: { id: string } & Options;
  augmentations?: ({ id: string } & Options)[];
  seed?: number;
}

export interface VisualizeOptions {
  layer?: string;
  channel?: number;
  image?: Float32Array;
  seed?: number;
  [field: string]: unknown;
}

export type NamedBytes = { name: string; bytes: Uint8Array };

/** What one slice of a job brought. */
export interface Progress {
  done: boolean;
  fraction: number;
  note: string;
  steps: StepEvent[];
  report?: unknown;
  pictures?: Picture[];
}
