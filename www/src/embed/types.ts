// What crosses between the page and the worker that embeds.

export interface Asked {
  method: string;
  /** `[count, width]`. */
  features: Float32Array;
  count: number;
  labels: Uint32Array;
  seed: number;
}

export type Told =
  | { methods: Listed[] }
  | { points: Float32Array; fraction: number; done: false }
  | { points: Float32Array; fraction: number; done: true; agreement: [layer: number, plane: number] }
  | { error: string };

/** A way into the plane, as the menu shows it. */
export interface Listed {
  id: string;
  name: string;
  doc: string;
}

export interface Vectors {
  features: Float32Array;
  count: number;
  width: number;
  seed: number;
}

/** A step on the way: `points` are x, y of each vector. */
export interface Step {
  points: Float32Array;
  fraction: number;
}

/** A way into the plane. */
export interface Embedding extends Listed {
  run(vectors: Vectors): AsyncGenerator<Step> | Generator<Step>;
}
