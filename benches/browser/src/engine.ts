// What the benchmark asks of every engine. One engine is one file in engines/ and one line in ENGINES; each
// runs in a dedicated worker of its own, which is also how convscope runs on its page.

import type { Batch } from './batch';
import type { Weights } from './weights';
import type { Workload } from './workload';

export interface Engine {
  /** Builds the network with these weights and puts the batch where steps find it. Returns what it runs on. */
  prepare(workload: Workload, weights: Weights, batch: Batch): Promise<string>;
  /** Runs `n` training steps on the batch and returns the last one's loss, read once, at the end. */
  steps(n: number): Promise<number>;
}

interface Entry {
  name: string;
  load(): Promise<Engine>;
}

// Each is imported by the worker that runs it: the backends of one engine share global state.
export const ENGINES = {
  'convscope-webgpu': {
    name: 'convscope webgpu',
    load: async () => (await import('./engines/convscope')).convscope('webgpu'),
  },
  'convscope-cpu': {
    name: 'convscope cpu (wasm)',
    load: async () => (await import('./engines/convscope')).convscope('cpu'),
  },
  'jax-webgpu': {
    name: 'jax-js webgpu',
    load: async () => (await import('./engines/jax')).jax('webgpu'),
  },
  'jax-wasm': {
    name: 'jax-js wasm',
    load: async () => (await import('./engines/jax')).jax('wasm'),
  },
  'tfjs-webgpu': {
    name: 'TensorFlow.js webgpu',
    load: async () => (await import('./engines/tfjs')).tfjs('webgpu'),
  },
  'tfjs-webgl': {
    name: 'TensorFlow.js webgl',
    load: async () => (await import('./engines/tfjs')).tfjs('webgl'),
  },
  'tfjs-cpu': {
    name: 'TensorFlow.js cpu (JS)',
    load: async () => (await import('./engines/tfjs')).tfjs('cpu'),
  },
  convnetjs: {
    name: 'ConvNetJS (JS)',
    load: async () => (await import('./engines/convnetjs')).convnetjs(),
  },
} satisfies Record<string, Entry>;

export type EngineId = keyof typeof ENGINES;
