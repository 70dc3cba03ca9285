// LeNet-5 as it is taught today (src/zoo/lenet.rs): launch overhead counts as much as arithmetic.

import type { Workload } from '../workload';

export const lenet5: Workload = {
  id: 'lenet5',
  title: 'LeNet-5, 28x28x1',
  input: [1, 28, 28],
  batch: 64,
  learningRate: 0.01,
  momentum: 0.9,
  layers: [
    { kind: 'conv', name: 'conv1', out: 6, kernel: 5, stride: 1, pad: 2, bias: true },
    { kind: 'relu' },
    { kind: 'pool' },
    { kind: 'conv', name: 'conv2', out: 16, kernel: 5, stride: 1, pad: 0, bias: true },
    { kind: 'relu' },
    { kind: 'pool' },
    { kind: 'flatten' },
    { kind: 'dense', name: 'fc1', out: 120 },
    { kind: 'relu' },
    { kind: 'dense', name: 'fc2', out: 84 },
    { kind: 'relu' },
    { kind: 'dense', name: 'fc3', out: 10 },
  ],
  convscope: { id: 'lenet5' },
};
