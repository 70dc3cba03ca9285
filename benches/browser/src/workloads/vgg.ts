// Six 3x3 convolutions and two dense layers: arithmetic in middling sizes, 233 MFLOP of training per image.

import { CLASSES, type Layer, type Workload } from '../workload';

const input: Workload['input'] = [3, 32, 32];
const DENSE = 128;

const pair = (stage: number, out: number): Layer[] => {
  const conv = (part: number): Layer[] => [
    { kind: 'conv', name: `conv${stage}_${part}`, out, kernel: 3, stride: 1, pad: 1, bias: true },
    { kind: 'relu' },
  ];
  return [...conv(1), ...conv(2), { kind: 'pool' }];
};

/** The same stage as convscope's network description has it (src/nn/spec.rs). */
const nodes = (stage: number, out: number) => [
  ...[1, 2].flatMap((part) => [
    { id: `conv${stage}_${part}`, kind: 'conv2d', out_channels: out, kernel: 3, padding: 'same' },
    { kind: 'relu' },
  ]),
  { kind: 'max_pool2d' },
];

const stages: [number, number][] = [
  [1, 32],
  [2, 64],
  [3, 128],
];

export const vgg: Workload = {
  id: 'vgg',
  title: 'VGG of 3x3 convolutions (32-32, 64-64, 128-128, dense 128), 32x32x3',
  input,
  batch: 32,
  learningRate: 0.0002,
  momentum: 0.9,
  layers: [
    ...stages.flatMap(([stage, out]) => pair(stage, out)),
    { kind: 'flatten' },
    { kind: 'dense', name: 'fc1', out: DENSE },
    { kind: 'relu' },
    { kind: 'dense', name: 'fc2', out: CLASSES },
  ],
  convscope: {
    spec: {
      name: 'VGG of the benchmark',
      input,
      classes: CLASSES,
      nodes: [
        ...stages.flatMap(([stage, out]) => nodes(stage, out)),
        { kind: 'flatten' },
        { id: 'fc1', kind: 'dense', units: DENSE },
        { kind: 'relu' },
        { id: 'fc2', kind: 'dense', units: CLASSES, init: 'glorot_uniform' },
      ],
    },
  },
};
