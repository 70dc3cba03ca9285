// An embedding under way: the images that are drawn, a layer's answers to them from the core, and their places in
// the plane from a worker of its own. A newer question ends the one before.

import { client } from './actions';
import type { Asked, Listed, Told } from './embed/types';
import { app } from './state.svelte';

/** Images that are asked about at once, so that live pictures and training come between. */
const SLICE = 128;

export interface Shown {
  index: number;
  label: number;
  image: Float32Array;
}

export class Plane {
  /** What can be asked for, as the worker lists it. */
  methods = $state.raw<Listed[]>([]);
  shown = $state.raw<Shown[]>([]);
  /** x, y of each image; empty until the first are known. */
  points = $state.raw<Float32Array>(new Float32Array());
  fraction = $state(0);
  running = $state(false);
  refusal = $state('');
  /** Share of images whose nearest neighbor is of their class: in the layer, and in the plane. */
  agreement = $state.raw<[number, number] | null>(null);
  /** What the layer makes of each image, one behind the other. */
  get answers(): Float32Array {
    return this.features?.values ?? new Float32Array();
  }
  private worker = this.start();
  private turn = 0;
  private features: { of: string; values: Float32Array } | null = null;

  /** Embeds `count` images, drawn by `seed`, by a layer's answers. `fresh` asks the core again. */
  async run(method: string, layer: string, count: number, seed: number, fresh: boolean): Promise<void> {
    this.stop();
    const mine = ++this.turn;
    [this.running, this.fraction, this.refusal, this.agreement] = [true, 0, '', null];
    try {
      const images = app.dataset?.test ?? 0;
      const indices = sample(images, Math.min(count, images), seed);
      const trained = `${app.latest?.step ?? 0} ${app.edits.length}`;
      const of = [layer, seed, indices.length, app.network?.name, app.dataset?.name, trained].join(' ');
      if (fresh || this.features?.of !== of) {
        const values = await this.ask(layer, indices, () => mine === this.turn);
        if (!values) return;
        const shown = await Promise.all(
          Array.from(indices, async (index) => ({
            index,
            ...(await client.call('example', [index, 'test'])),
          })),
        );
        if (mine !== this.turn) return;
        this.features = { of, values };
        this.points = new Float32Array();
        this.shown = shown;
      }
      const features = this.features.values.slice();
      const labels = Uint32Array.from(this.shown, ({ label }) => label);
      const asked: Asked = { method, features, count: this.shown.length, labels, seed };
      this.worker.postMessage(asked, [features.buffer]);
    } catch (error) {
      if (mine === this.turn) this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  /** Ends it where it stands. */
  stop(): void {
    this.turn++;
    if (this.running) {
      this.worker.terminate();
      this.worker = this.start();
    }
    this.running = false;
  }

  /** Ends it for good. */
  close(): void {
    this.turn++;
    this.worker.terminate();
  }

  private async ask(
    layer: string,
    indices: Uint32Array,
    wanted: () => boolean,
  ): Promise<Float32Array | null> {
    const parts: Float32Array[] = [];
    for (let start = 0; start < indices.length; start += SLICE) {
      const slice = indices.slice(start, start + SLICE);
      const { data } = await client.call('features', [layer, slice, 'test']);
      if (!wanted()) return null;
      parts.push(data);
      this.fraction = (0.3 * (start + slice.length)) / indices.length;
    }
    const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  private start(): Worker {
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- nothing is drawn from it
    const url = new URL(`embed.js?v=${__BUILD_ID__}`, document.baseURI);
    const worker = new Worker(url, { type: 'module', name: 'embedding' });
    worker.onmessage = ({ data }: MessageEvent<Told>) => worker === this.worker && this.take(data);
    worker.onerror = ({ message }) =>
      this.fail(message || 'expected embed.js beside the page, could not load it');
    return worker;
  }

  private take(told: Told): void {
    if ('methods' in told) {
      // A worker that takes another's place lists the same.
      if (this.methods.length === 0) this.methods = told.methods;
    } else if ('error' in told) this.fail(told.error);
    else {
      this.points = told.points;
      this.fraction = 0.3 + 0.7 * told.fraction;
      if (!told.done) return;
      this.agreement = told.agreement;
      this.running = false;
    }
  }

  private fail(message: string): void {
    this.stop();
    this.refusal = message;
  }
}

/** `count` of the numbers below `all`, each at most once, the same for the same seed (mulberry32). */
function sample(all: number, count: number, seed: number): Uint32Array {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const numbers = Uint32Array.from({ length: all }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(random() * (all - i));
    [numbers[i], numbers[j]] = [numbers[j] as number, numbers[i] as number];
  }
  return numbers.slice(0, count);
}
