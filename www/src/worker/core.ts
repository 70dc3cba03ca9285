// The wasm core as the worker sees it, and how it is loaded. Nothing else in the page touches wasm.

import type {
  AugmentOptions,
  Catalog,
  Counters,
  DatasetInfo,
  Info,
  NamedBytes,
  NetworkInfo,
  Options,
  Picture,
  Progress,
  Tensor,
  Tile,
  TileKind,
} from '../types';

/** One laboratory: a dataset, a network, a backend. Its methods are not reentrant, except while `drawn`,
 * `probabilities` and `ranges` are awaited. */
export interface Lab {
  free(): void;
  info(): Info;
  catalog(): Catalog;
  dataset(): DatasetInfo;
  network(): NetworkInfo;
  setDataset(choice: { id: string; options?: Options }): Promise<DatasetInfo>;
  setDatasetFiles(name: string, files: NamedBytes[]): Promise<DatasetInfo>;
  setNetwork(choice: object): Promise<NetworkInfo>;
  begin(kind: 'train' | 'evaluate' | 'visualize', options: object): Promise<number>;
  advance(job: number): Promise<Progress>;
  finish(job: number): Promise<Progress>;
  reset(seed?: number): void;
  predict(image: Float32Array): Promise<Float32Array>;
  example(index: number, split?: string): { image: Float32Array; label: number };
  augment(index: number, options: AugmentOptions): Promise<Picture[]>;
  activations(layer: string, image: Float32Array): Promise<Tensor>;
  features(layer: string, indices: Uint32Array, split?: string): Promise<Tensor>;
  parameters(): Promise<Record<string, Tensor>>;
  setParameters(parameters: Record<string, Tensor>): Promise<void>;
  counters(): Counters;
  attachCanvas(view: string, canvas: OffscreenCanvas): void;
  resizeCanvas(view: string, width: number, height: number): void;
  setTiles(view: string, tiles: Tile[], background: string): void;
  setProbe(image: Float32Array, label?: number): void;
  present(): Promise<void>;
  drawn(): Promise<void>;
  probabilities(): Promise<Float32Array>;
  ranges(kind: TileKind): Promise<Record<string, Float32Array>>;
}

interface Module {
  default(options: { module_or_path: URL }): Promise<unknown>;
  Lab: { create(backend?: string, drawing?: string): Promise<Lab> };
}

/** Loads the core from beside this worker, whatever path the site lives under. */
export async function load(backend?: string, drawing?: string): Promise<Lab> {
  const beside = (name: string) => new URL(`${name}?v=${__BUILD_ID__}`, self.location.href);
  const module = (await import(/* @vite-ignore */ beside('convscope.js').href)) as Module;
  await module.default({ module_or_path: beside('convscope_bg.wasm') });
  return module.Lab.create(backend, drawing);
}
