// jax-js: the whole step (loss, gradients, update) as one jitted function, NCHW and OIHW. It counts
// references by hand: passing an array gives it away, `.ref` keeps it.

import { defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax';

import { oneHot } from '../batch';
import type { Engine } from '../engine';
import { permuted, take } from '../weights';
import { CLASSES, EPSILON, shapeAfter, type Layer, type Workload } from '../workload';

type Params = Record<string, np.Array>;

export function jax(device: 'webgpu' | 'wasm'): Engine {
  let step: (n: number) => np.Array;
  return {
    async prepare(workload, weights, batch) {
      const found = await init(device);
      if (!found.includes(device)) throw new Error(`jax-js has no device ${device} here`);
      defaultDevice(device);
      const [c, h, w] = batch.shape;
      const array = (data: Float32Array, shape: number[]) =>
        np.array(data as Float32Array<ArrayBuffer>).reshape(shape);
      const nchw = permuted({ shape: [batch.count, h, w, c], data: batch.images }, [0, 3, 1, 2]);
      const x = array(nchw.data, nchw.shape);
      const y = array(oneHot(batch), [batch.count, CLASSES]);

      let params: Params = {};
      let velocity: Params = {};
      for (const name of parameterNames(workload)) {
        const { shape, data } = weights[name] ?? take(weights, name, []);
        params[name] = array(data, shape);
        velocity[name] = np.zeros(shape);
      }
      const forward = network(workload);
      const loss = (params: Params, x: np.Array, y: np.Array) =>
        nn
          .logSoftmax(forward(params, x))
          .mul(y)
          .sum()
          .mul(-1 / batch.count);
      const { learningRate, momentum } = workload;
      const update = jit((params: Params, velocity: Params, x: np.Array, y: np.Array) => {
        const kept = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, value.ref]));
        const [value, gradients] = valueAndGrad(loss)(kept, x, y);
        const next: { params: Params; velocity: Params } = { params: {}, velocity: {} };
        for (const name of Object.keys(params)) {
          const [weight, speed, gradient] = [params[name], velocity[name], (gradients as Params)[name]];
          if (!weight || !speed || !gradient) throw new Error(`${name}: expected a gradient, found none`);
          const faster = speed.mul(momentum).add(gradient);
          next.params[name] = weight.sub(faster.ref.mul(learningRate));
          next.velocity[name] = faster;
        }
        return [value, next.params, next.velocity] as [np.Array, Params, Params];
      });
      step = (n) => {
        for (;;) {
          const [value, ...next] = update(params, velocity, x.ref, y.ref) as [np.Array, Params, Params];
          [params, velocity] = next;
          if (--n <= 0) return value;
          value.dispose();
        }
      };
      return device;
    },
    async steps(n) {
      const [value = NaN] = await step(n).data();
      return value;
    },
  };
}

function parameterNames({ layers }: Workload): string[] {
  const names = (layer: Layer): string[] => {
    switch (layer.kind) {
      case 'conv':
        return layer.bias ? [`${layer.name}.weight`, `${layer.name}.bias`] : [`${layer.name}.weight`];
      case 'norm':
      case 'dense':
        return [`${layer.name}.weight`, `${layer.name}.bias`];
      case 'residual':
        return layer.body.flatMap(names);
      default:
        return [];
    }
  };
  return layers.flatMap(names);
}

function network(workload: Workload): (params: Params, x: np.Array) => np.Array {
  return (params, x) => {
    /** A parameter is used once, so it is given away. */
    const parameter = (name: string) => {
      const found = params[name];
      if (!found) throw new Error(`${name}: expected a parameter, found none`);
      return found;
    };
    let shape = workload.input;
    const apply = (layer: Layer, x: np.Array): np.Array => {
      const [c, h, w] = shape;
      switch (layer.kind) {
        case 'conv': {
          const { name, out, stride, pad } = layer;
          const around: [number, number] = [pad, pad];
          const y = lax.convGeneralDilated(
            x,
            parameter(`${name}.weight`),
            [stride, stride],
            [around, around],
          );
          return layer.bias ? y.add(parameter(`${name}.bias`).reshape([1, out, 1, 1])) : y;
        }
        case 'norm': {
          const perChannel = (part: string) => parameter(`${layer.name}.${part}`).reshape([1, c, 1, 1]);
          const centered = x.ref.sub(np.mean(x, [0, 2, 3], { keepdims: true }));
          const variance = np.mean(np.square(centered.ref), [0, 2, 3], { keepdims: true });
          return centered
            .div(np.sqrt(variance.add(EPSILON)))
            .mul(perChannel('weight'))
            .add(perChannel('bias'));
        }
        case 'relu':
          return nn.relu(x);
        case 'pool':
          return lax.reduceWindow(x, np.max, [2, 2], [2, 2]);
        case 'flatten':
          return x.reshape([-1, c * h * w]);
        case 'average':
          return np.mean(x, [2, 3]);
        case 'dense': {
          const y = np.dot(x, parameter(`${layer.name}.weight`).transpose());
          return y.add(parameter(`${layer.name}.bias`));
        }
        case 'residual': {
          const { out, stride, body } = layer;
          let shortcut = x.ref;
          if (stride > 1) shortcut = shortcut.reshape([-1, c, h / stride, stride, w / stride, stride]).slice([], [], [], 0, [], 0); // prettier-ignore
          const before = (out - c) >> 1;
          if (out > c) shortcut = np.pad(shortcut, [[0, 0], [before, out - c - before], [0, 0], [0, 0]]); // prettier-ignore
          return sequence(body, x).add(shortcut);
        }
      }
    };
    const sequence = (layers: Layer[], x: np.Array): np.Array => {
      let value = x;
      for (const layer of layers) {
        const before = shape;
        value = apply(layer, value);
        shape = shapeAfter(layer, before);
      }
      return value;
    };
    return sequence(workload.layers, x);
  };
}
