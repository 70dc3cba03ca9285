// The initial weights that every engine starts from, in PyTorch's layouts as convscope gives them (filters
// OIHW, dense weights [out, in], a flattened image map by map), and the reorderings that the others need.

import { shapeAfter, type Layer, type Workload } from './workload';

export interface Tensor {
  shape: number[];
  data: Float32Array;
}

export type Weights = Record<string, Tensor>;

export function take(weights: Weights, name: string, shape: number[]): Tensor {
  const found = weights[name];
  if (!found || found.shape.join() !== shape.join()) {
    throw new Error(
      `${name}: expected the shape ${shape.join('x')}, found ${found?.shape.join('x') ?? 'none'}`,
    );
  }
  return found;
}

/** Axis `i` of the result is axis `axes[i]` of `tensor`. */
export function permuted({ shape, data }: Tensor, axes: number[]): Tensor {
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1),
  );
  const extents = axes.map((axis) => shape[axis] ?? 0);
  const steps = axes.map((axis) => strides[axis] ?? 0);
  const result = new Float32Array(data.length);
  const index = extents.map(() => 0);
  for (let i = 0; i < result.length; i++) {
    result[i] = data[index.reduce((at, position, axis) => at + position * (steps[axis] ?? 0), 0)] ?? NaN;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      index[axis] = next < (extents[axis] ?? 0) ? next : 0;
      if (index[axis] !== 0) break;
    }
  }
  return { shape: extents, data: result };
}

/** A dense layer's weights for an engine that flattens row by row: its inputs from (c, h, w) to (h, w, c). */
export function denseRowByRow(weight: Tensor, [c, h, w]: Workload['input']): Tensor {
  const [out = 0] = weight.shape;
  const { data } = permuted({ shape: [out, c, h, w], data: weight.data }, [0, 2, 3, 1]);
  return { shape: weight.shape, data };
}

/** The shape of the image that was flattened before the dense layer `name`; `[inputs, 1, 1]` if none was. */
export function flattenedBefore(name: string, { layers, input }: Workload): Workload['input'] {
  let shape = input;
  let before: Layer | undefined;
  for (const layer of layers) {
    if (layer.kind === 'dense' && layer.name === name) break;
    before = layer;
    if (layer.kind !== 'flatten') shape = shapeAfter(layer, shape);
  }
  return before?.kind === 'flatten' ? shape : [shape[0] * shape[1] * shape[2], 1, 1];
}
