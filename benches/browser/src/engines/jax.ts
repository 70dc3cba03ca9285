// jax-js: the whole step (loss, gradients, update) as one jitted function, NCHW and OIHW. It counts
// references by hand: passing an array gives it away, `.ref` keeps it.

import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax';

import { oneHot } from '../batch';
import type { Engine } from '../engine';
import { permuted, take } from '../weights';
import { CLASSES, EPSILON, shapeAfter, type Layer, type Workload } from '../workload';

type Params = Record<string, np.Array>;

interface State {
  params: Params;
  velocity: Params;
}

export function jax(device: 'webgpu' | 'wasm'): Engine {
  let state: State;
  let step: (state: State) => [loss: np.Array, next: State];
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
      state = { params: {}, velocity: {} };
      for (const name of parameterNames(workload)) {
        const { shape, data } = weights[name] ?? take(weights, name, []);
        state.params[name] = array(data, shape);
        state.velocity[name] = np.zeros(shape);
      }
      const jitted = jit(update(workload));
      step = ({ params, velocity }) => {
        const [loss, ...next] = jitted(params, velocity, x.ref, y.ref) as [np.Array, Params, Params];
        return [loss, { params: next[0], velocity: next[1] }];
      };
      return device;
    },
    async steps(n) {
      for (;;) {
        const [loss, next] = step(state);
        state = next;
        if (--n > 0) {
          loss.dispose();
          continue;
        }
        // A queue of the GPU is in order; wasm's workers would go on with the update after the loss is known.
        if (device === 'wasm') await blockUntilReady([state.params, state.velocity]);
        const [value = NaN] = await loss.data();
        return value;
      }
    },
  };
}

/** One training step as a function to be jitted. */
function update(workload: Workload) {
  const { batch, learningRate, momentum } = workload;
  const forward = network(workload);
  const cost = (params: Params, x: np.Array, y: np.Array) =>
    nn
      .logSoftmax(forward(params, x))
      .mul(y)
      .sum()
      .mul(-1 / batch);
  return (params: Params, velocity: Params, x: np.Array, y: np.Array): [np.Array, Params, Params] => {
    const kept = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, value.ref]));
    const [loss, gradients] = valueAndGrad(cost)(kept, x, y) as [np.Array, Params];
    const next: State = { params: {}, velocity: {} };
    for (const [name, weight] of Object.entries(params)) {
      const [speed, gradient] = [velocity[name], gradients[name]];
      if (!speed || !gradient) throw new Error(`${name}: expected a gradient, found none`);
      const faster = speed.mul(momentum).add(gradient);
      next.params[name] = weight.sub(faster.ref.mul(learningRate));
      next.velocity[name] = faster;
    }
    return [loss, next.params, next.velocity];
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
