// What is trained: a network, its input, its batch and its optimizer, said once for all engines. An engine
// walks the layers and builds them its own way; nothing here knows an engine.

/** The layers that the workloads are made of. A `name` is the one under which convscope has its parameters. */
export type Layer =
  | { kind: 'conv'; name: string; out: number; kernel: number; stride: number; pad: number; bias: boolean }
  /** Batch normalization with the statistics of the batch, epsilon 1e-5. */
  | { kind: 'norm'; name: string }
  | { kind: 'relu' }
  /** The largest of each 2x2 window. */
  | { kind: 'pool' }
  /** Into a vector, map by map (channel, row, column). */
  | { kind: 'flatten' }
  /** The mean of each map, as a vector. */
  | { kind: 'average' }
  | { kind: 'dense'; name: string; out: number }
  /** The body plus a parameter-free shortcut: every `stride`-th pixel, and zeros for the maps that are new. */
  | { kind: 'residual'; out: number; stride: number; body: Layer[] };

export interface Workload {
  id: string;
  title: string;
  /** Channels, height and width. */
  input: [number, number, number];
  batch: number;
  /** SGD: v = momentum * v + g, then w -= learningRate * v. */
  learningRate: number;
  momentum: number;
  layers: Layer[];
  /** What convscope's `setNetwork` is given for the same network. */
  convscope: object;
}

export const CLASSES = 10;
export const EPSILON = 1e-5;

/** Channels, height and width behind `layer`; a vector is `[n, 1, 1]`. */
export function shapeAfter(layer: Layer, [c, h, w]: Workload['input']): Workload['input'] {
  switch (layer.kind) {
    case 'conv': {
      const size = (side: number) => Math.floor((side + 2 * layer.pad - layer.kernel) / layer.stride) + 1;
      return [layer.out, size(h), size(w)];
    }
    case 'pool':
      return [c, Math.floor(h / 2), Math.floor(w / 2)];
    case 'flatten':
      return [c * h * w, 1, 1];
    case 'average':
      return [c, 1, 1];
    case 'dense':
      return [layer.out, 1, 1];
    case 'residual':
      return [layer.out, Math.ceil(h / layer.stride), Math.ceil(w / layer.stride)];
    case 'norm':
    case 'relu':
      return [c, h, w];
  }
}

/** Multiply-adds of the convolutions and dense layers in one forward pass of one image. */
export function multiplyAdds(layers: Layer[], input: Workload['input']): number {
  let shape = input;
  let sum = 0;
  for (const layer of layers) {
    const [c, h, w] = shape;
    shape = shapeAfter(layer, shape);
    const outputs = shape[0] * shape[1] * shape[2];
    if (layer.kind === 'conv') sum += outputs * c * layer.kernel ** 2;
    if (layer.kind === 'dense') sum += outputs * c * h * w;
    if (layer.kind === 'residual') sum += multiplyAdds(layer.body, [c, h, w]);
  }
  return sum;
}

/**
 * Floating-point operations of one training step. A multiply-add counts 2, and the backward pass as two
 * forward passes (gradients for inputs and for weights), also for the first layer, whose input needs none.
 */
export const flopPerStep = ({ layers, input, batch }: Workload) =>
  multiplyAdds(layers, input) * 2 * 3 * batch;
