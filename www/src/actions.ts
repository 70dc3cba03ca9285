// What the page can do to the laboratory. Views call these; each goes through the client, keeps the last
// good state when the core refuses, and says the core's sentence.

import { Client } from './client';
import type { DatasetInfo, LabEvent, NetworkInfo, TrainOptions } from './protocol';
import { encode, type Choice, type Settings } from './settings';
import { app } from './state.svelte';
import { watchPictures } from './watch';

export const client = new Client();
const remembered = 'convscope.trained';
let notices = 0;

export function notify(kind: 'error' | 'note', message: string): void {
  if (app.notices.some((notice) => notice.message === message)) return;
  app.notices.push({ id: notices++, kind, message });
}

/** Does one thing; a refusal becomes a notice, and the answer is undefined. */
export async function attempt<T>(what: () => Promise<T>): Promise<T | undefined> {
  try {
    return await what();
  } catch (error) {
    notify('error', error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

export function remember(): void {
  history.replaceState(null, '', encode(app.settings) || location.pathname + location.search);
}

/** Brings up the core and puts the settings' dataset and network in place. */
export async function start(): Promise<void> {
  client.listen(receive);
  watchPictures(client);
  const backend = new URLSearchParams(location.search).get('backend') ?? undefined;
  app.info = await client.call('create', [backend]);
  app.catalog = await client.call('catalog', []);
  const wanted = { ...app.settings };
  if (wanted.dataset) await attempt(() => setDataset(wanted.dataset as Choice, false));
  const firstDataset = app.catalog.datasets[0];
  if (!app.dataset && firstDataset) await setDataset({ id: firstDataset.id, options: {} }, false);
  if (wanted.network) await attempt(() => setNetwork(wanted.network as Choice));
  if (!app.network) await setFittingNetwork();
  app.loading = '';
  if (sessionStorage.getItem(remembered)) {
    notify(
      'note',
      'Settings restored. Trained weights and loaded files do not outlive a reload: train again to see them.',
    );
    sessionStorage.removeItem(remembered);
  }
}

async function wait<T>(what: string, work: () => Promise<T>): Promise<T> {
  app.loading = what;
  try {
    return await work();
  } finally {
    app.loading = '';
  }
}

/** Takes a dataset of the catalog, then a network that fits it. */
export function setDataset(choice: Choice, refit = true): Promise<DatasetInfo> {
  return wait('Making the dataset', async () => {
    const dataset = await client.call('setDataset', [plain(choice)]);
    app.settings.dataset = choice;
    await placed(dataset, refit);
    return dataset;
  });
}

/** Takes a dataset from files; on refusal the previous one stays. */
export function setDatasetFiles(name: string, files: File[]): Promise<DatasetInfo> {
  return wait('Reading files', async () => {
    const bytes = await Promise.all(
      files.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
    );
    const transfer = bytes.map((file) => file.bytes.buffer);
    const dataset = await client.call('setDatasetFiles', [name, bytes], transfer);
    app.settings.dataset = null;
    await placed(dataset, true);
    return dataset;
  });
}

async function placed(dataset: DatasetInfo, refit: boolean): Promise<void> {
  app.dataset = dataset;
  app.evaluation = null;
  app.settings.probe = refit ? 0 : app.settings.probe;
  await chooseProbe(app.settings.probe).catch(() => chooseProbe(0));
  if (refit) await setFittingNetwork();
  remember();
}

/** Keeps the network when it takes the dataset's images; else the first of the catalog that does. */
async function setFittingNetwork(): Promise<void> {
  const shape = app.dataset?.shape;
  const fits = (app.catalog?.architectures ?? []).filter(({ input }) =>
    input.every((size, i) => size === shape?.[i]),
  );
  const current = app.settings.network;
  const keep = fits.some(({ id }) => id === current?.id);
  const candidates = [...(keep && current ? [current] : []), ...fits.map(({ id }) => ({ id, options: {} }))];
  const all = candidates.length
    ? candidates
    : (app.catalog?.architectures ?? []).map(({ id }) => ({ id, options: {} }));
  let refusal: unknown = new Error('No network of the catalog fits this dataset.');
  for (const choice of all) {
    try {
      await setNetwork(choice);
      return;
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

export async function setNetwork(choice: Choice): Promise<NetworkInfo> {
  const network = await client.call('setNetwork', [plain(choice)]);
  app.settings.network = choice;
  networkPlaced(network);
  return network;
}

export function networkPlaced(network: NetworkInfo): void {
  app.network = network;
  forget();
  if (!app.layer) app.settings.selection = firstKernel(network);
  remember();
}

/** Something is always looked at: at first, the first layer that has kernels. */
function firstKernel({ layers }: NetworkInfo): Settings['selection'] {
  const layer = layers.find(({ kernel }) => kernel) ?? layers[0];
  return layer ? { layer: layer.id, unit: 0 } : null;
}

function forget(): void {
  app.history.length = 0;
  app.historyVersion++;
  app.latest = null;
  app.evaluation = null;
  app.fraction = 0;
}

export async function chooseProbe(index: number): Promise<void> {
  const { image, label } = await client.call('example', [index, 'test']);
  app.settings.probe = index;
  setProbe(image, label);
  remember();
}

export function setProbe(image: Float32Array, label: number | null): void {
  app.probe = { image, label };
  void attempt(() => client.call('setProbe', [image]));
}

export function select(layer: string, unit = 0): void {
  app.settings.selection = { layer, unit };
  app.hasLooked = true;
  if (app.layout === 'medium') app.inspector = true;
  remember();
}

/** The settings as the core takes them; without a number of epochs it runs until paused. */
function trainOptions(): TrainOptions {
  const { optimizer, batchSize, epochs, seed } = app.settings;
  return {
    batchSize,
    seed,
    ...(epochs !== null && { epochs }),
    ...(optimizer && { optimizer: { ...plain(optimizer.options), id: optimizer.id } }),
  };
}

export async function train(): Promise<void> {
  if (app.ready) await attempt(() => client.call('train', [trainOptions()]));
}

export async function step(): Promise<void> {
  const options = { ...trainOptions(), epochs: undefined, steps: 1 };
  if (app.ready && app.run !== 'training') await attempt(() => client.call('train', [options]));
}

export async function pause(): Promise<void> {
  await attempt(() => client.call('pause', []));
}

export async function reset(): Promise<void> {
  await attempt(async () => {
    await client.call('reset', [app.settings.seed]);
    forget();
  });
}

export async function evaluate(): Promise<void> {
  app.evaluating = { fraction: 0, note: '' };
  const evaluation = await attempt(() => client.call('evaluate', [{ split: 'test' }]));
  if (evaluation) app.evaluation = evaluation;
  app.evaluating = null;
}

function receive(event: LabEvent): void {
  switch (event.event) {
    case 'step':
      app.history.push(...event.steps);
      app.latest = event.steps.at(-1) ?? app.latest;
      app.historyVersion++;
      sessionStorage.setItem(remembered, '1');
      break;
    case 'state':
      if (event.state === 'training') app.startedAt = performance.now();
      if (event.state === 'idle') forget();
      app.run = event.state;
      break;
    case 'progress':
      if (event.panel === 'train') app.fraction = event.fraction;
      if (event.panel === 'evaluate' && app.evaluating)
        app.evaluating = { fraction: event.fraction, note: event.note };
      break;
    case 'presented':
      app.tiles = event.tiles;
      app.presented++;
      break;
    case 'error':
      if (event.fatal) app.fatal = event.message;
      else notify('error', event.message);
      break;
    case 'epoch':
      break;
  }
}

/** A copy without Svelte's proxies, which cannot be sent to a worker. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
