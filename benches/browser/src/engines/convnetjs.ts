// ConvNetJS: plain JavaScript in float64, one image at a time, its own SGD trainer with momentum.

import convnet, { type LayerDefinition, type Trainer, type Vol } from 'convnetjs';

import type { Engine } from '../engine';
import { denseRowByRow, flattenedBefore, permuted, take, type Weights } from '../weights';
import { CLASSES, type Layer, type Workload } from '../workload';

export function convnetjs(): Engine {
  let trainer: Trainer;
  let images: Vol[];
  let labels: Uint8Array;
  return {
    prepare(workload, weights, batch) {
      const net = new convnet.Net();
      net.makeLayers(definitions(workload));
      fill(net.layers, workload, weights);
      trainer = new convnet.Trainer(net, {
        method: 'sgd',
        learning_rate: workload.learningRate,
        momentum: workload.momentum,
        batch_size: workload.batch,
        l2_decay: 0,
      });
      const [c, h, w] = batch.shape;
      const size = c * h * w;
      images = Array.from({ length: batch.count }, (_, i) => {
        const image = new convnet.Vol(w, h, c, 0);
        image.w.set(batch.images.subarray(i * size, (i + 1) * size));
        return image;
      });
      labels = batch.labels;
      return Promise.resolve('JavaScript');
    },
    steps(n) {
      let loss = NaN;
      for (let i = 0; i < n; i++) {
        const losses = images.map((image, index) => trainer.train(image, labels[index] ?? 0).cost_loss);
        loss = losses.reduce((sum, each) => sum + each, 0) / losses.length;
      }
      return Promise.resolve(loss);
    },
  };
}

/** ConvNetJS flattens by itself, and its softmax layer brings its own dense layer. */
function definitions({ input: [c, h, w], layers }: Workload): LayerDefinition[] {
  const last = layers.at(-1);
  if (last?.kind !== 'dense')
    throw new Error(`expected a dense layer at the end, found ${last?.kind ?? 'none'}`);
  const define = (layer: Layer): LayerDefinition[] => {
    switch (layer.kind) {
      case 'conv': {
        if (!layer.bias) throw new Error('ConvNetJS has no convolution without bias');
        const { kernel: sx, out: filters, stride, pad } = layer;
        return [{ type: 'conv', sx, filters, stride, pad }];
      }
      case 'relu':
        return [{ type: 'relu' }];
      case 'pool':
        return [{ type: 'pool', sx: 2, stride: 2 }];
      case 'flatten':
        return [];
      case 'dense':
        return [{ type: 'fc', num_neurons: layer.out }];
      default:
        throw new Error(`ConvNetJS has no layer for ${layer.kind}`);
    }
  };
  return [
    { type: 'input', out_sx: w, out_sy: h, out_depth: c },
    ...layers.slice(0, -1).flatMap(define),
    { type: 'softmax', num_classes: CLASSES },
  ];
}

/** Every filter and every unit is a volume of its own, row by row with channels last. */
function fill(built: { filters?: Vol[]; biases?: Vol }[], workload: Workload, weights: Weights): void {
  const weighted = built.filter((layer) => layer.filters);
  const named = workload.layers.filter((layer) => layer.kind === 'conv' || layer.kind === 'dense');
  named.forEach((layer, i) => {
    const { filters = [], biases } = weighted[i] ?? {};
    const given = weights[`${layer.name}.weight`]?.shape ?? [];
    const weight = take(weights, `${layer.name}.weight`, given);
    const { data } =
      layer.kind === 'conv'
        ? permuted(weight, [0, 2, 3, 1])
        : denseRowByRow(weight, flattenedBefore(layer.name, workload));
    const size = data.length / layer.out;
    if (filters.length !== layer.out || filters[0]?.w.length !== size) {
      throw new Error(`${layer.name}: expected ${layer.out} filters of ${size}, found ${filters.length}`);
    }
    filters.forEach((filter, o) => filter.w.set(data.subarray(o * size, (o + 1) * size)));
    biases?.w.set(take(weights, `${layer.name}.bias`, [layer.out]).data);
  });
}
