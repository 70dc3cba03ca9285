// convscope through its own wasm module, driven as the page's worker drives it (www/src/worker/core.ts).

import { idxFiles, type Batch } from '../batch';
import type { Engine } from '../engine';
import type { Weights } from '../weights';
import { multiplyAdds, type Workload } from '../workload';
import type { Lab } from '../../../../www/src/worker/core';

interface Module {
  default(options: { module_or_path: URL }): Promise<unknown>;
  Lab: { create(backend?: string): Promise<Lab> };
}

/** Seed of the initial weights that all engines get. */
const SEED = 1;

async function laboratory(backend: string, workload: Workload, batch: Batch): Promise<Lab> {
  const beside = (name: string) => new URL(`/${name}`, self.location.href);
  const module = (await import(/* @vite-ignore */ beside('convscope.js').href)) as Module;
  await module.default({ module_or_path: beside('convscope_bg.wasm') });
  const lab = await module.Lab.create(backend);
  const { train } = await lab.setDatasetFiles('batch', idxFiles(batch));
  const { macs } = await lab.setNetwork(workload.convscope);
  const expected = multiplyAdds(workload.layers, workload.input);
  if (train !== workload.batch || macs !== expected) {
    throw new Error(
      `expected ${workload.batch} images and ${expected} multiply-adds, found ${train} and ${macs}`,
    );
  }
  lab.reset(SEED);
  return lab;
}

/** The weights that all engines start from. */
export async function initialWeights(workload: Workload, batch: Batch): Promise<Weights> {
  return (await laboratory('cpu', workload, batch)).parameters();
}

/** Resolves in a task of its own, without the 4 ms of nested timers. */
function task(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

export function convscope(backend: 'webgpu' | 'cpu'): Engine {
  let lab: Lab;
  let options: object;
  return {
    async prepare(workload, weights, batch) {
      lab = await laboratory(backend, workload, batch);
      await lab.setParameters(weights);
      const { learningRate, momentum } = workload;
      options = {
        batchSize: workload.batch,
        optimizer: { id: 'sgd', learningRate, momentum, weightDecay: 0 },
      };
      return lab.info().adapter;
    },
    async steps(n) {
      const job = await lab.begin('train', { ...options, steps: n });
      let loss = NaN;
      for (;;) {
        const { steps, done, waits } = await lab.advance(job);
        loss = steps.at(-1)?.loss ?? loss;
        if (done) return loss;
        // Kernels compile and the device answers between tasks, not between promises.
        if (waits) await task();
      }
    },
  };
}
