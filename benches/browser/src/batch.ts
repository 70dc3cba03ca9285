// The one batch that every engine trains on, as bytes (for convscope, which reads datasets) and as
// normalized floats (for the others). It is drawn here, so the benchmark needs no download.

import { CLASSES, type Workload } from './workload';

export interface Batch {
  count: number;
  /** Channels, height and width. */
  shape: Workload['input'];
  /** `[n, h, w, c]`. */
  bytes: Uint8Array;
  labels: Uint8Array;
  /** The bytes over 255, each channel with mean 0 and deviation 1, still `[n, h, w, c]`. */
  images: Float32Array;
}

/** Waves whose frequency tells the class, and noise, so that a loss has somewhere to go. */
export function drawBatch({ input, batch }: Workload): Batch {
  const [c, h, w] = input;
  const random = mulberry32(1);
  const bytes = new Uint8Array(batch * h * w * c);
  const labels = Uint8Array.from({ length: batch }, (_, i) => i % CLASSES);
  let at = 0;
  for (const label of labels) {
    const phase = random() * 6.28;
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        for (let channel = 0; channel < c; channel++) {
          const wave = Math.sin(phase + (x * (label + 1) + y * (10 - label) + channel * 4) * 0.12);
          bytes[at++] = 128 + 70 * wave + 40 * (random() - 0.5);
        }
  }
  return { count: batch, shape: input, bytes, labels, images: normalize(bytes, c) };
}

/** As convscope does it: by the mean and deviation of each channel over the whole training split. */
function normalize(bytes: Uint8Array, channels: number): Float32Array {
  const count = bytes.length / channels;
  const images = new Float32Array(bytes.length);
  for (let channel = 0; channel < channels; channel++) {
    let [sum, squares] = [0, 0];
    for (let i = channel; i < bytes.length; i += channels) {
      const byte = bytes[i] ?? 0;
      sum += byte;
      squares += byte * byte;
    }
    const mean = sum / count;
    const deviation = Math.sqrt(squares / count - mean * mean);
    for (let i = channel; i < bytes.length; i += channels) images[i] = ((bytes[i] ?? 0) - mean) / deviation;
  }
  return images;
}

/**
 * The batch as the IDX files of a dataset whose training split is exactly this batch: every step of every
 * epoch then trains on it, in some order.
 */
export function idxFiles({ count, shape, bytes, labels }: Batch): { name: string; bytes: Uint8Array }[] {
  const [c, h, w] = shape;
  const test = CLASSES;
  const images = (n: number) => idx([n, h, w, c], bytes.subarray(0, n * h * w * c));
  return [
    { name: 'train-images', bytes: images(count) },
    { name: 'train-labels', bytes: idx([count], labels) },
    { name: 't10k-images', bytes: images(test) },
    { name: 't10k-labels', bytes: idx([test], labels.subarray(0, test)) },
  ];
}

function idx(axes: number[], bytes: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * axes.length));
  header.setUint32(0, 0x0800 + axes.length);
  axes.forEach((extent, i) => header.setUint32(4 + 4 * i, extent));
  const file = new Uint8Array(header.byteLength + bytes.length);
  file.set(new Uint8Array(header.buffer));
  file.set(bytes, header.byteLength);
  return file;
}

/** One-hot rows, `[n, CLASSES]`. */
export function oneHot({ labels }: Batch): Float32Array {
  const rows = new Float32Array(labels.length * CLASSES);
  labels.forEach((label, i) => (rows[i * CLASSES + label] = 1));
  return rows;
}

/** A small seeded generator (Tommy Ettinger's mulberry32): the same batch on every machine. */
function mulberry32(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
