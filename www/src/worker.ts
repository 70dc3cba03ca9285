// The worker owns the core, the GPU and the canvases. The core's calls are not reentrant, so one loop makes
// them all: what the page asked first, then one slice of every running job, then the live pictures. It goes on
// while pictures and the numbers beside them are read from the device, which has more to do before.
// A newer question of the same kind (probe, tiles) supersedes an older one that still waits.

import type { CallName, Calls, LabEvent, Request, VisualizeOptions } from './protocol';
import { load, type Lab } from './worker/core';
import { Jobs, type Reply } from './worker/jobs';
import { Recovery } from './worker/recovery';
import { transferables } from './worker/transfer';

/** Live pictures are redrawn at most this often, and take at most a third of the time while jobs run. */
const PRESENT_INTERVAL = 100;
const PRESENT_SHARE = 3;
/** Jobs that only wait are asked this often. */
const WAIT = 10;
/** A GPU that is lost twice within this time (milliseconds) is not asked for again. */
const STEADY = 20_000;
/** Weights of larger networks are not remembered. */
const MOST_KEPT = 4_000_000;

const tell = (event: LabEvent) => self.postMessage(event);
const jobs = new Jobs(() => theLab(), tell);
const recovery = new Recovery();
const waiting: Request[] = [];
const shown: Record<string, number> = {};
let lab: Lab | undefined;
let broken = '';
let lost = '';
let recovered = -Infinity;
let dirty = false;
let presenting = false;
let drawing: string | undefined;
let visible = true;
let nextPresent = 0;
let wake = () => {};

function theLab(): Lab {
  if (broken) throw new Error(broken);
  if (!lab) throw new Error('convscope: expected the core to be up, found it still loading');
  return lab;
}

const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));

type Handlers = { [K in CallName]: (args: Parameters<Calls[K]>, reply: Reply) => unknown };

/** Marks an answer that comes later, from a job. */
const later = Symbol('later');
const change = async (what: () => unknown) => {
  await jobs.stopAll();
  const value = await what();
  dirty = true;
  return value;
};
/** A change that also draws new weights. */
const restart = (what: () => unknown) =>
  change(async () => {
    const value = await what();
    jobs.restarted();
    recovery.restarted();
    return value;
  });
const begin = async (
  kind: 'train' | 'evaluate' | 'visualize',
  panel: string,
  options: object,
  reply: Reply,
) => {
  await jobs.start(kind, panel, options, reply);
  return later;
};
/** Notes that a view's tiles were answered. */
const count = (view: string) => (shown[view] = (shown[view] ?? 0) + 1);
const redraw = (what: () => unknown) => {
  what();
  dirty = true;
};

const handlers: Handlers = {
  async create([backend, by]) {
    drawing = by;
    lab = await load(backend, drawing);
    return lab.info();
  },
  info: () => theLab().info(),
  catalog: () => theLab().catalog(),
  dataset: () => theLab().dataset(),
  network: () => theLab().network(),
  setDataset: ([choice]) => restart(() => theLab().setDataset(choice)),
  setDatasetFiles: ([name, files]) => restart(() => theLab().setDatasetFiles(name, files)),
  setNetwork: ([choice]) => restart(() => theLab().setNetwork(choice)),
  train: ([options], reply) => begin('train', 'train', options, reply),
  pause: () => jobs.stop('train'),
  reset: ([seed]) => restart(() => theLab().reset(seed)),
  evaluate: ([options], reply) => begin('evaluate', 'evaluate', options, reply),
  predict: ([image]) => theLab().predict(image),
  example: ([index, split]) => theLab().example(index, split),
  augment: ([index, options]) => theLab().augment(index, options),
  activations: ([layer, image]) => theLab().activations(layer, image),
  features: ([layer, indices, split]) => theLab().features(layer, indices, split),
  parameters: () => theLab().parameters(),
  setParameters: ([parameters]) =>
    change(async () => {
      await theLab().setParameters(parameters);
      recovery.stale = true;
    }),
  visualize: ([panel, options], reply) => begin('visualize', panel, options as VisualizeOptions, reply),
  stop: ([panel]) => jobs.stop(panel),
  counters: () => theLab().counters(),
  attachCanvas: ([view, canvas]) => redraw(() => theLab().attachCanvas(view, canvas)),
  resizeCanvas: ([view, width, height]) => redraw(() => theLab().resizeCanvas(view, width, height)),
  setTiles: ([view, tiles, background]) => {
    // Also if they are refused, for a network that was replaced meanwhile: the page counts what it sends.
    count(view);
    redraw(() => theLab().setTiles(view, tiles, background));
  },
  setProbe: ([image, label]) => redraw(() => theLab().setProbe(image, label)),
  setVisible([value]) {
    visible = value;
    dirty ||= value;
  },
  probabilities: () => theLab().probabilities(),
  ranges: ([kind]) => theLab().ranges(kind),
};

const ask = async (method: CallName, args: unknown[], reply: Reply) =>
  (handlers[method] as (args: unknown[], reply: Reply) => unknown)(args, reply);

/** What is answered while the loop goes on. */
const aside = new Set<CallName>(['probabilities', 'ranges']);

async function answer({ id, method, args }: Request): Promise<void> {
  const asked = lab;
  const reply: Reply = {
    resolve: (value) => self.postMessage({ id, value }, { transfer: transferables(value) }),
    reject(error) {
      self.postMessage({ id, error: sentence(error) });
      // What was asked of a laboratory that is gone says nothing of this one.
      if (lab === asked) fail(error);
    },
  };
  try {
    if (broken) throw new Error(broken);
    const value = await ask(method, args, reply);
    recovery.note({ method, args });
    if (value !== later) reply.resolve(value);
  } catch (error) {
    reply.reject(error);
  }
}

/** A panic leaves the core unusable: say so once, and refuse what comes after. A lost GPU can be had anew. */
function fail(error: unknown): void {
  if (broken) return;
  if (/device was lost/.test(sentence(error))) lost = sentence(error);
  // The loop may sleep while an answer aside fails.
  if (lost) wake();
  if (error instanceof WebAssembly.RuntimeError) end(`The core stopped (${sentence(error)}).`);
}

function end(why: string): void {
  broken = `${why} Reload the page to go on; settings are kept.`;
  tell({ event: 'error', message: broken, fatal: true });
  jobs.abandon(new Error(broken));
}

/** Opens another laboratory in the place of one whose GPU was lost, and brings it to where that was. */
async function recover(): Promise<void> {
  const why = lost;
  lost = '';
  if (performance.now() - recovered < STEADY) return end(`The GPU was lost again (${why}).`);
  recovered = performance.now();
  const { kept } = recovery;
  jobs.abandon(new Error(`The GPU was lost (${why}); what it worked on has ended.`));
  try {
    const gone = theLab();
    const { backend } = gone.info();
    gone.free();
    lab = await load(backend, drawing);
    const none = { resolve() {}, reject() {} };
    // A network that was asked for before the dataset may not fit it: then the core had chosen by itself.
    for (const { method, args } of await recovery.again())
      await ask(method, args, none).catch(() => undefined);
    jobs.restarted();
    if (kept) await ask('setParameters', [kept], none);
    const found = kept ? 'the weights it had some seconds ago' : 'the weights it began with';
    const message = `The GPU was lost and is back. The network has ${found}; curves and momentum start anew.`;
    tell({ event: 'error', message, fatal: false, kept: kept !== undefined });
  } catch (error) {
    end(`The GPU was lost and did not come back (${sentence(error)}).`);
  }
}

/** Drops what a newer request of the same kind makes pointless. */
const supersedes: Partial<Record<CallName, (newer: Request, older: Request) => boolean>> = {
  setProbe: () => true,
  setTiles: (newer, older) => newer.args[0] === older.args[0],
  resizeCanvas: (newer, older) => newer.args[0] === older.args[0],
};

function enqueue(request: Request): void {
  const older = waiting.findIndex(
    (each) => each.method === request.method && supersedes[request.method]?.(request, each),
  );
  const [dropped] = older >= 0 ? waiting.splice(older, 1) : [];
  if (dropped) {
    if (dropped.method === 'setTiles') count(dropped.args[0] as string);
    self.postMessage({ id: dropped.id, value: undefined });
  }
  waiting.push(request);
  wake();
}

async function present(from: Lab): Promise<void> {
  dirty = false;
  const start = performance.now();
  const tiles = { ...shown };
  const failed = (error: unknown) => {
    if (lab !== from) return;
    fail(error);
    if (!broken && !lost) tell({ event: 'error', message: sentence(error), fatal: false });
  };
  try {
    await from.present();
    const drawn = from.drawn();
    presenting = true;
    void drawn
      .then(() => {
        if (lab === from) tell({ event: 'presented', tiles });
      }, failed)
      .finally(() => {
        presenting = false;
        wake();
      });
  } catch (error) {
    failed(error);
  }
  const took = performance.now() - start;
  nextPresent = start + Math.max(PRESENT_INTERVAL, jobs.busy ? took * PRESENT_SHARE : took);
}

/** Lets messages in, also when the core's promises settle without leaving the microtask queue. */
const channel = new MessageChannel();
const breathe = () =>
  new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(0);
  });

/** Sleeps until a message comes, but not longer than this. */
function idle(most: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      resolve,
      dirty && visible && !presenting ? Math.max(0, Math.min(most, nextPresent - performance.now())) : most,
    );
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

/** Remembers the weights of a GPU, which may be lost. */
async function keep(from: Lab): Promise<void> {
  const may = from.info().backend === 'webgpu' && from.network().params <= MOST_KEPT;
  await recovery.keep(() => (may ? from.parameters() : undefined)).catch(fail);
}

async function loop(): Promise<never> {
  for (;;) {
    for (let request = waiting.shift(); request; request = waiting.shift()) {
      const answered = answer(request);
      if (!aside.has(request.method)) await answered;
    }
    if (jobs.busy && !broken) {
      await jobs.turn();
      dirty ||= jobs.training && !jobs.waits;
      recovery.stale ||= jobs.training && !jobs.waits;
    }
    const due = dirty && visible && !presenting && performance.now() >= nextPresent;
    if (lab && !broken && due) await present(lab);
    if (lab && !broken && !lost && recovery.due) await keep(lab);
    if (lost && !broken) await recover();
    if (waiting.length || (jobs.busy && !jobs.waits)) await breathe();
    else await idle(jobs.busy ? WAIT : recovery.stale ? 1000 : 60_000);
  }
}

self.onmessage = ({ data }: MessageEvent<Request>) => enqueue(data);
void loop();
