// ResNet-20 for CIFAR (src/zoo/resnet.rs): many small layers with batch norm, so memory traffic and launches
// beside the arithmetic.

import { CLASSES, type Layer, type Workload } from '../workload';

const conv = (name: string, out: number, stride: number): Layer[] => [
  { kind: 'conv', name, out, kernel: 3, stride, pad: 1, bias: false },
];

const block = (stage: number, part: number, out: number): Layer[] => {
  const id = `stage${stage}_${part}`;
  const stride = stage > 1 && part === 1 ? 2 : 1;
  const body: Layer[] = [
    ...conv(`${id}_conv1`, out, stride),
    { kind: 'norm', name: `${id}_bn1` },
    { kind: 'relu' },
    ...conv(`${id}_conv2`, out, 1),
    { kind: 'norm', name: `${id}_bn2` },
  ];
  return [{ kind: 'residual', out, stride, body }, { kind: 'relu' }];
};

export const resnet20: Workload = {
  id: 'resnet20',
  title: 'ResNet-20 with batch norm, 32x32x3',
  input: [3, 32, 32],
  batch: 32,
  learningRate: 0.0005,
  momentum: 0.9,
  layers: [
    ...conv('stem_conv', 16, 1),
    { kind: 'norm', name: 'stem_bn' },
    { kind: 'relu' },
    ...[16, 32, 64].flatMap((out, stage) => [1, 2, 3].flatMap((part) => block(stage + 1, part, out))),
    { kind: 'average' },
    { kind: 'dense', name: 'fc', out: CLASSES },
  ],
  convscope: { id: 'resnet20' },
};
