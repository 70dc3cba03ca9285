// What the page can do to the laboratory. Views call these; each goes through the client, keeps the last
// good state when the core refuses, and says the core's sentence.

import { Client } from './client';
import type { DatasetInfo, LabEvent, NetworkInfo, Picked, Picture, TrainOptions } from './protocol';
import { decode, encode, type Choice, type View } from './settings';
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

/** Keeps the settings in the link; as a step of its own, to which the back button returns, or in its place. */
export function remember(step = false): void {
  const link = encode(app.settings) || location.pathname + location.search;
  if (step && link !== location.hash) history.pushState(null, '', link);
  else history.replaceState(null, '', link);
}

/** Follows the link after the back button or another hash: what is looked at, not what is trained on. */
export function follow(): void {
  const { view, selection } = decode(location.hash);
  app.settings.view = view;
  if (selection) app.settings.selection = selection;
  lookSomewhere();
  remember();
}

/** Puts the map, a unit's page or the embedding into the middle. */
export function show(view: View): void {
  app.settings.view = view;
  remember(true);
}

/** Brings up the core and puts the settings' dataset and network in place. */
export async function start(): Promise<void> {
  client.listen(receive);
  watchPictures(client);
  const query = new URLSearchParams(location.search);
  const asked = (name: string) => query.get(name) ?? undefined;
  app.info = await client.call('create', [asked('backend'), asked('drawing')]);
  app.catalog = await client.call('catalog', []);
  const wanted = { ...app.settings };
  const first = app.catalog.datasets[0];
  if (wanted.dataset) await attempt(() => setDataset(wanted.dataset as Choice));
  if (!app.dataset) {
    app.settings.dataset = first ? { id: first.id, options: {} } : null;
    await placed(await client.call('dataset', []), wanted.probe);
  }
  if (wanted.network && !same(wanted.network, app.settings.network))
    await attempt(() => setNetwork(wanted.network as Choice));
  if (wanted.seed !== 0) await client.call('reset', [wanted.seed]);
  app.settings.selection = wanted.selection;
  lookSomewhere();
  window.addEventListener('popstate', follow);
  if (wanted.probe > 0) await attempt(() => chooseProbe(wanted.probe));
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

/** Takes a dataset of the catalog; the core keeps the network where it fits, else takes the first that does. */
export function setDataset(choice: Choice): Promise<DatasetInfo> {
  return wait('Making the dataset', async () => {
    const dataset = await client.call('setDataset', [plain(choice)]);
    app.settings.dataset = choice;
    return placed(dataset, 0);
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
    return placed(dataset, 0);
  });
}

async function placed(dataset: DatasetInfo, probe: number): Promise<DatasetInfo> {
  app.dataset = dataset;
  const network = await client.call('network', []);
  const before = app.network;
  const entry = app.catalog?.architectures.find(
    ({ id, name }) => network.name === id || network.name === name,
  );
  if (!before || network.name !== before.name)
    app.settings.network = entry ? { id: entry.id, options: {} } : null;
  networkPlaced(network);
  await chooseProbe(Math.min(probe, Math.max(dataset.test - 1, 0)));
  return dataset;
}

export async function setNetwork(choice: Choice): Promise<NetworkInfo> {
  const network = await client.call('setNetwork', [plain(choice)]);
  app.settings.network = choice;
  networkPlaced(network);
  return network;
}

export function networkPlaced(network: NetworkInfo): void {
  const input = String(app.network?.layers[0]?.shape);
  // Methods have other defaults for other images.
  if (app.network && input !== String(network.layers[0]?.shape))
    void attempt(async () => (app.catalog = await client.call('catalog', [])));
  app.network = network;
  forget();
  lookSomewhere();
  remember();
}

/** Something is always looked at: at first, the first layer that has kernels. */
function lookSomewhere(): void {
  const layers = app.network?.layers ?? [];
  const layer = layers.find(({ kernel }) => kernel) ?? layers[0];
  if (app.layer || !layer) return;
  const missed = app.settings.selection?.layer;
  if (missed && app.settings.view !== 'map')
    notify('note', `This network has no layer ${missed}: ${layer.id} is shown.`);
  app.settings.selection = { layer: layer.id, unit: 0 };
}

function forget(): void {
  app.history.length = 0;
  app.historyVersion++;
  app.latest = null;
  app.given = false;
  app.edits = [];
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
  void attempt(() => client.call('setProbe', [image, label ?? undefined]));
}

export function select(layer: string, unit = 0): void {
  app.settings.selection = { layer, unit };
  app.hasLooked = true;
  if (app.layout === 'medium' && app.settings.view === 'map') app.inspector = true;
  remember(app.settings.view !== 'map');
}

/** A choice as the core takes it. */
const picked = ({ id, options }: Choice): Picked => ({ ...plain(options), id });

/** The settings as the core takes them; without a number of epochs it runs until paused. */
function trainOptions(): TrainOptions {
  const { optimizer, schedule, loss, augmentations, epochs } = app.settings;
  const { batchSize, clipNorm, clipValue, averaging } = app.settings;
  return {
    batchSize,
    clipNorm,
    clipValue,
    averaging,
    augmentations: augmentations.map(picked),
    ...(epochs !== null && { epochs }),
    ...(optimizer && { optimizer: picked(optimizer) }),
    ...(schedule && { schedule: picked(schedule) }),
    ...(loss && { loss: picked(loss) }),
  };
}

/** A training image, and versions of it as the chosen augmentations draw them. */
export function augmented(index: number, seed: number, count: number): Promise<Picture[] | undefined> {
  const augmentations = app.settings.augmentations.map(picked);
  return attempt(() => client.call('augment', [index, { augmentations, seed, count }]));
}

export async function train(): Promise<void> {
  if (app.ready) await attempt(() => client.call('train', [trainOptions()]));
}

export async function step(): Promise<void> {
  const options = { ...trainOptions(), steps: 1 };
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

/** The seed of the next start; before the first step it takes effect at once. */
export async function setSeed(seed: number): Promise<void> {
  app.settings.seed = seed;
  if (app.run === 'idle') await reset();
}

export async function evaluate(): Promise<void> {
  app.evaluating = { fraction: 0, note: '' };
  const averaged = app.settings.averaging > 0 && app.settings.testAverage;
  const evaluation = await attempt(() => client.call('evaluate', [{ split: 'test', averaged }]));
  if (evaluation) app.evaluation = evaluation;
  app.evaluating = null;
}

function receive(event: LabEvent): void {
  switch (event.event) {
    case 'step':
      // A script may start over from new weights.
      if ((event.steps[0]?.step ?? 0) <= (app.latest?.step ?? 0)) forget();
      app.history.push(...event.steps);
      app.latest = event.steps.at(-1) ?? app.latest;
      app.historyVersion++;
      sessionStorage.setItem(remembered, '1');
      break;
    case 'state':
      if (event.state === 'training') app.startedAt = performance.now();
      if (event.state === 'idle') forget();
      if (event.state !== 'training') app.preparing = '';
      app.run = event.state;
      break;
    case 'progress':
      if (event.panel === 'train') {
        app.fraction = event.fraction;
        app.preparing = event.waits ? event.note : '';
      }
      if (event.panel === 'evaluate' && app.evaluating)
        app.evaluating = { fraction: event.fraction, note: event.note };
      break;
    case 'presented':
      app.tiles = event.tiles;
      app.presented++;
      break;
    case 'error':
      if (event.kept) app.given = true;
      if (event.fatal) app.fatal = event.message;
      else notify('error', event.message);
      break;
    case 'epoch':
      break;
  }
}

const same = (a: Choice, b: Choice | null): boolean => JSON.stringify(a) === JSON.stringify(b);

/** A copy without Svelte's proxies, which cannot be sent to a worker. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
