// The page of the benchmark: for one workload, brings every engine up in a worker of its own, lets all take
// the same first steps, and then measures them in rounds, one after the other. The runner calls it.

import { NO_COUNTS, type Counts } from './counts';
import { ENGINES, type EngineId } from './engine';
import type { Calls } from './host';
import { median } from './median';
import type { KernelTime } from './profile';
import type { Roofs } from './roofs';
import type { Weights } from './weights';
import { flopPerStep } from './workload';
import { findWorkload } from './workloads';

export interface Plan {
  workload: string;
  engines: EngineId[];
  rounds: number;
}

/** What was found about one engine on one workload. */
export interface Cell {
  engine: EngineId;
  name: string;
  /** Why there is nothing, or nothing more. */
  error?: string;
  adapter?: string;
  /** Loading, building and uploading; then the first step, which compiles. */
  prepareMs?: number;
  firstMs?: number;
  /** The first losses. */
  losses: number[];
  /** Largest relative difference of a loss from the reference's. */
  deviation?: number;
  stepsPerRound: number;
  /** Milliseconds a step, one entry a round: where the loss is read at the round's end, and after each step. */
  readAtEnd: number[];
  readEach: number[];
  /** Calls of graphics APIs per step. */
  counts: Counts;
}

export interface Outcome {
  workload: string;
  title: string;
  batch: number;
  flopPerStep: number;
  cells: Cell[];
}

/** Steps whose losses must agree. */
const TRAJECTORY = 20;
/** Most that may go into them, and fewest steps that tell anything: one before an update and one after. */
const TRAJECTORY_MS = 30_000;
const FEWEST = 2;
/** A round of one engine takes about this long; so slow that one step takes longer than this, it gets none. */
const ROUND_MS = 2_500;
const TOO_SLOW_MS = 12_000;
/** All rounds of one engine together. */
const CELL_MS = 40_000;
/** No single answer may take longer. */
const PATIENCE_MS = 300_000;

/** A worker that answers one call at a time. */
class Host {
  #worker = new Worker(new URL('./host.ts', import.meta.url), { type: 'module' });

  call<K extends keyof Calls>(
    method: K,
    ...args: Parameters<Calls[K]>
  ): Promise<Awaited<ReturnType<Calls[K]>>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(`no answer to ${method} in ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
      const fail = (message: string) => {
        clearTimeout(timer);
        reject(new Error(message));
      };
      this.#worker.onmessage = ({ data }) => {
        clearTimeout(timer);
        if (data.error === undefined) resolve(data.value);
        else reject(new Error(data.error));
      };
      this.#worker.onerror = ({ message }) => fail(message || 'the worker did not load');
      this.#worker.postMessage({ method, args });
    });
  }

  close(): void {
    this.#worker.terminate();
  }
}

async function runWorkload({ workload: id, engines, rounds }: Plan): Promise<Outcome> {
  const workload = findWorkload(id);
  const weights = await once((host) => host.call('weights', id));
  const hosts = new Map<Cell, Host>();
  const cells = engines.map((engine): Cell => {
    const { name } = ENGINES[engine];
    return {
      engine,
      name,
      losses: [],
      stepsPerRound: 0,
      readAtEnd: [],
      readEach: [],
      counts: { ...NO_COUNTS },
    };
  });
  for (const cell of cells) {
    const host = new Host();
    hosts.set(cell, host);
    await guarded(cell, host, () => start(cell, host, id, weights));
  }
  compare(cells);
  for (let round = 0; round < rounds; round++) {
    for (const [cell, host] of hosts) {
      const spent = [...cell.readAtEnd, ...cell.readEach].reduce(
        (sum, ms) => sum + ms * cell.stepsPerRound,
        0,
      );
      if (cell.error || !cell.stepsPerRound || spent > CELL_MS) continue;
      await guarded(cell, host, () => measure(cell, host));
      say(`${cell.name}, round ${round + 1}: ${cell.readAtEnd.at(-1)?.toFixed(2)} ms a step`);
    }
  }
  for (const host of hosts.values()) host.close();
  return {
    workload: id,
    title: workload.title,
    batch: workload.batch,
    flopPerStep: flopPerStep(workload),
    cells,
  };
}

/** Brings an engine up, takes the first steps, and settles how many make a round. */
async function start(cell: Cell, host: Host, workload: string, weights: Weights): Promise<void> {
  const { ms, adapter } = await host.call('prepare', cell.engine, workload, weights);
  cell.prepareMs = ms;
  cell.adapter = adapter;
  const times: number[] = [];
  const begun = performance.now();
  while (
    cell.losses.length < TRAJECTORY &&
    (cell.losses.length < FEWEST || performance.now() - begun < TRAJECTORY_MS)
  ) {
    const { ms, loss, counts } = await host.call('steps', 1, 1);
    times.push(ms);
    cell.losses.push(loss);
    cell.counts = counts;
  }
  [cell.firstMs] = times;
  const later = times.slice(1);
  const usual = median(later);
  if (usual > TOO_SLOW_MS) {
    // These steps are all there is time for.
    cell.readEach = later;
  } else {
    cell.stepsPerRound = Math.max(1, Math.round(ROUND_MS / 2 / usual));
  }
  say(`${cell.name}: ${usual.toFixed(2)} ms a step, first step ${cell.firstMs?.toFixed(0)} ms`);
}

/** One round: half of it far ahead of its only read, half of it reading after each step. */
async function measure(cell: Cell, host: Host): Promise<void> {
  const n = cell.stepsPerRound;
  const { ms, counts } = await host.call('steps', n, 1);
  cell.readAtEnd.push(ms);
  for (const key of Object.keys(counts) as (keyof Counts)[]) cell.counts[key] = counts[key] / n;
  if (n > 1) cell.readEach.push((await host.call('steps', 1, n)).ms);
}

/** The reference is the first engine that took all steps; plans begin with convscope's CPU backend. */
function compare(cells: Cell[]): void {
  const reference = cells.find((cell) => cell.losses.length === TRAJECTORY)?.losses ?? [];
  for (const cell of cells) {
    const differences = cell.losses.map((loss, step) => {
      const expected = reference[step] ?? NaN;
      return Math.abs(loss - expected) / Math.abs(expected);
    });
    // A NaN stays one here, and is within no tolerance.
    if (differences.length) cell.deviation = Math.max(...differences);
  }
}

/** What goes wrong with one engine is said in its cell and ends its part. */
async function guarded(cell: Cell, host: Host, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    cell.error = error instanceof Error ? error.message : String(error);
    host.close();
    say(`${cell.name}: ${cell.error}`);
  }
}

async function once<T>(work: (host: Host) => Promise<T>): Promise<T> {
  const host = new Host();
  try {
    return await work(host);
  } finally {
    host.close();
  }
}

/** The runner prints the console. */
const say = (text: string) => console.info(text);

async function profile(engine: EngineId, workload: string): Promise<KernelTime[]> {
  const weights = await once((host) => host.call('weights', workload));
  return once((host) => host.call('profile', engine, workload, weights));
}

const bench = {
  runWorkload,
  profile,
  roofs: (): Promise<Roofs> => once((host) => host.call('roofs')),
};

export type Bench = typeof bench;

declare global {
  var bench: Bench;
}

globalThis.bench = bench;
