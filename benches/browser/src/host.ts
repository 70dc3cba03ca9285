// The dedicated worker that runs one engine on one workload, or the probes. The page asks one thing at a time.

import { drawBatch } from './batch';
import { countCalls, takeCounts, type Counts } from './counts';
import { ENGINES, type Engine, type EngineId } from './engine';
import { splitPasses, takeTimes, type KernelTime } from './profile';
import { measureRoofs, type Roofs } from './roofs';
import type { Weights } from './weights';
import { findWorkload } from './workloads';

/** Some steps: milliseconds for each, the last one's loss, and what was called in all. */
export interface Measured {
  ms: number;
  loss: number;
  counts: Counts;
}

export interface Calls {
  weights(workload: string): Promise<Weights>;
  prepare(engine: EngineId, workload: string, weights: Weights): Promise<{ ms: number; adapter: string }>;
  /** `times` runs of `n` steps, each of which ends with reading the loss. */
  steps(n: number, times: number): Promise<Measured>;
  roofs(): Promise<Roofs>;
  /** Where the GPU time of one step goes, the first two left out. */
  profile(engine: EngineId, workload: string, weights: Weights): Promise<KernelTime[]>;
}

let engine: Engine | undefined;

const calls: Calls = {
  async weights(id) {
    const { initialWeights } = await import('./engines/convscope');
    const workload = findWorkload(id);
    return initialWeights(workload, drawBatch(workload));
  },
  async prepare(engineId, id, weights) {
    const workload = findWorkload(id);
    const batch = drawBatch(workload);
    const start = performance.now();
    engine = await ENGINES[engineId].load();
    const adapter = await engine.prepare(workload, weights, batch);
    return { ms: performance.now() - start, adapter };
  },
  async steps(n, times) {
    if (!engine) throw new Error('expected an engine that is prepared, found none');
    takeCounts();
    const start = performance.now();
    let loss = NaN;
    for (let i = 0; i < times; i++) loss = await engine.steps(n);
    return { ms: (performance.now() - start) / (n * times), loss, counts: takeCounts() };
  },
  roofs: measureRoofs,
  async profile(...args) {
    splitPasses();
    await calls.prepare(...args);
    await calls.steps(1, 2);
    await takeTimes();
    await calls.steps(1, 1);
    return takeTimes();
  },
};

countCalls();

self.onmessage = async ({ data }: MessageEvent<{ method: keyof Calls; args: unknown[] }>) => {
  try {
    const call = calls[data.method] as (...args: unknown[]) => Promise<unknown>;
    self.postMessage({ value: await call(...data.args) });
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};
