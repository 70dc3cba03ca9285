// Which engines run on which workload, and how far ahead of each peer convscope is meant to be. An engine
// that is left out by default would take minutes a step, or cannot build the network.

import type { EngineId } from '../engine';
import type { Plan } from '../page';

interface Target {
  ours: EngineId;
  peer: EngineId;
  times: number;
}

const ours: EngineId[] = ['convscope-cpu', 'convscope-webgpu'];

interface Row {
  engines: EngineId[];
  /** With --quick. */
  quick: EngineId[];
  targets: Target[];
}

const gpu = (peer: EngineId, times: number): Target => ({ ours: 'convscope-webgpu', peer, times });
const cpu = (peer: EngineId, times: number): Target => ({ ours: 'convscope-cpu', peer, times });

const ROWS: Record<string, Row> = {
  lenet5: {
    engines: [...ours, 'jax-webgpu', 'jax-wasm', 'tfjs-webgpu', 'tfjs-webgl', 'tfjs-cpu', 'convnetjs'],
    quick: [...ours, 'jax-webgpu', 'jax-wasm', 'tfjs-webgl', 'convnetjs'],
    targets: [
      gpu('jax-webgpu', 5),
      gpu('tfjs-webgpu', 40),
      gpu('tfjs-webgl', 7),
      cpu('convnetjs', 8),
      cpu('jax-wasm', 25),
    ],
  },
  vgg: {
    engines: [...ours, 'jax-webgpu', 'jax-wasm', 'tfjs-webgl', 'convnetjs'],
    quick: [...ours, 'jax-webgpu', 'tfjs-webgl'],
    targets: [gpu('jax-webgpu', 3), gpu('tfjs-webgl', 6), cpu('convnetjs', 10), cpu('jax-wasm', 30)],
  },
  resnet20: {
    engines: [...ours, 'jax-webgpu', 'tfjs-webgpu', 'tfjs-webgl'],
    quick: [...ours, 'tfjs-webgl'],
    targets: [gpu('tfjs-webgl', 6)],
  },
};

function row(workload: string): Row {
  const found = ROWS[workload];
  if (!found) throw new Error(`expected a plan for ${workload}, found none`);
  return found;
}

export function planFor(workload: string, rounds: number, quick: boolean): Plan {
  const { engines, quick: fewer } = row(workload);
  return { workload, engines: quick ? fewer : engines, rounds };
}

export const targetsOf = (workload: string): Target[] => row(workload).targets;
