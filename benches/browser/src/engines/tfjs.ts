// TensorFlow.js: eager ops under its gradient tape and its own momentum optimizer, NHWC and HWIO.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';

import { oneHot } from '../batch';
import type { Engine } from '../engine';
import { denseRowByRow, flattenedBefore, permuted, take, type Weights } from '../weights';
import { CLASSES, EPSILON, shapeAfter, type Layer, type Workload } from '../workload';

type Backend = 'webgpu' | 'webgl' | 'cpu';

const BACKENDS: Record<Backend, () => Promise<unknown>> = {
  webgpu: () => import('@tensorflow/tfjs-backend-webgpu'),
  webgl: () => import('@tensorflow/tfjs-backend-webgl'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
};

export function tfjs(backend: Backend): Engine {
  let step: () => tf.Scalar;
  return {
    async prepare(workload, weights, batch) {
      await BACKENDS[backend]();
      if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend} here`);
      await tf.ready();
      const [c, h, w] = batch.shape;
      const x = tf.tensor4d(batch.images, [batch.count, h, w, c]);
      const y = tf.tensor2d(oneHot(batch), [batch.count, CLASSES]);
      const forward = network(workload, weights);
      const optimizer = tf.train.momentum(workload.learningRate, workload.momentum);
      const cost = () => tf.losses.softmaxCrossEntropy(y, forward(x)) as tf.Scalar;
      step = () => {
        const loss = optimizer.minimize(cost, true);
        if (!loss) throw new Error('expected the optimizer to return the loss, found none');
        return loss;
      };
      return describe(backend);
    },
    async steps(n) {
      for (let i = 1; i < n; i++) step().dispose();
      const loss = step();
      const [value = NaN] = await loss.data();
      loss.dispose();
      return value;
    },
  };
}

/** The forward pass; its variables are registered with the tape, which trains them all. */
function network(workload: Workload, weights: Weights): (x: tf.Tensor) => tf.Tensor {
  const variable = (name: string, shape: number[], data: Float32Array) =>
    tf.variable(tf.tensor(data, shape), true, name);
  const vector = (name: string, size: number) => variable(name, [size], take(weights, name, [size]).data);
  let shape = workload.input;

  const build = (layer: Layer): ((x: tf.Tensor) => tf.Tensor) => {
    const [c, h, w] = shape;
    switch (layer.kind) {
      case 'conv': {
        const { name, out, kernel, stride, pad } = layer;
        const { shape: hwio, data } = permuted(
          take(weights, `${name}.weight`, [out, c, kernel, kernel]),
          [2, 3, 1, 0],
        );
        const filter = variable(`${name}.weight`, hwio, data) as tf.Tensor<tf.Rank.R4>;
        const bias = layer.bias ? vector(`${name}.bias`, out) : undefined;
        return (x) => {
          const y = tf.conv2d(x as tf.Tensor4D, filter, stride, pad, 'NHWC', 1, 'floor');
          return bias ? tf.add(y, bias) : y;
        };
      }
      case 'norm': {
        const scale = vector(`${layer.name}.weight`, c) as tf.Tensor1D;
        const offset = vector(`${layer.name}.bias`, c) as tf.Tensor1D;
        return (x) => {
          const { mean, variance } = tf.moments(x, [0, 1, 2]);
          return tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, offset, scale, EPSILON);
        };
      }
      case 'relu':
        return tf.relu;
      case 'pool':
        return (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid');
      case 'flatten':
        return (x) => tf.reshape(x, [-1, c * h * w]);
      case 'average':
        return (x) => tf.mean(x, [1, 2]);
      case 'dense': {
        const { name, out } = layer;
        const inputs = c * h * w;
        const byRow = denseRowByRow(
          take(weights, `${name}.weight`, [out, inputs]),
          flattenedBefore(name, workload),
        );
        const weight = variable(`${name}.weight`, [inputs, out], permuted(byRow, [1, 0]).data);
        const bias = vector(`${name}.bias`, out);
        return (x) => tf.add(tf.matMul(x, weight), bias);
      }
      case 'residual': {
        const { out, stride, body } = layer;
        const inner = sequence(body);
        const before = (out - c) >> 1;
        return (x) => {
          // The mean of one pixel is the pixel; a strided slice has no gradient here.
          let shortcut = stride > 1 ? tf.avgPool(x as tf.Tensor4D, 1, stride, 'valid') : x;
          if (out > c) shortcut = tf.pad(shortcut, [[0, 0], [0, 0], [0, 0], [before, out - c - before]]); // prettier-ignore
          return tf.add(inner(x), shortcut);
        };
      }
    }
  };
  const sequence = (layers: Layer[]) => {
    const built = layers.map((layer) => {
      const before = shape;
      const apply = build(layer);
      shape = shapeAfter(layer, before);
      return apply;
    });
    return (x: tf.Tensor) => built.reduce((value, apply) => apply(value), x);
  };
  return sequence(workload.layers);
}

function describe(backend: Backend): string {
  if (backend !== 'webgl') return backend;
  const context = new OffscreenCanvas(1, 1).getContext('webgl2');
  const info = context?.getExtension('WEBGL_debug_renderer_info');
  return String(info ? context?.getParameter(info.UNMASKED_RENDERER_WEBGL) : 'webgl2');
}
