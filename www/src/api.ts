// The scripting interface: `globalThis.convscope`. It goes through the same client as the views, and what it
// changes shows on the page. Images are Float32Arrays of c*h*w values in 0..1; tensors are NCHW and OIHW.

import { client, networkPlaced, setDataset, setDatasetFiles, setNetwork } from './actions';
import type {
  AugmentOptions,
  LabEvent,
  NetworkInfo,
  Options,
  Picture,
  Tensor,
  TrainOptions,
  VisualizeOptions,
} from './protocol';
import { app } from './state.svelte';

type DatasetChoice = { id: string; options?: Options } | { name: string; files: File[] };
type NetworkChoice = { id: string; options?: Options } | { spec: object };
type ByName = { [E in LabEvent as E['event']]: E };

let scripts = 0;

async function network(choice: NetworkChoice): Promise<NetworkInfo> {
  if ('id' in choice) return setNetwork({ id: choice.id, options: choice.options ?? {} });
  const info = await client.call('setNetwork', [choice]);
  networkPlaced(info);
  return info;
}

/** Listens to one kind of event; step listeners get one step at a time. Returns what ends it. */
function on<E extends 'step' | 'epoch' | 'state' | 'error'>(
  event: E,
  listener: (detail: unknown) => void,
): () => void {
  return client.listen((told) => {
    if (told.event !== event) return;
    if (told.event === 'step') told.steps.forEach(listener);
    else if (told.event === 'state') listener(told.state);
    else if (told.event === 'error') listener(new Error(told.message));
    else listener(told satisfies ByName[keyof ByName]);
  });
}

/** All that a script can do, but for `ready`. */
const calls = {
  info: () => client.call('info', []),
  catalog: () => client.call('catalog', []),
  setDataset: (choice: DatasetChoice) =>
    'files' in choice
      ? setDatasetFiles(choice.name, [...choice.files])
      : setDataset({ id: choice.id, options: choice.options ?? {} }),
  setNetwork: network,
  train: (options: TrainOptions = {}) =>
    client.call('train', [options.steps || options.epochs ? options : { ...options, epochs: 1 }]),
  pause: () => client.call('pause', []),
  reset: (seed?: number) => client.call('reset', [seed]),
  evaluate: async (options: { split?: 'train' | 'test'; averaged?: boolean } = {}) => {
    const evaluation = await client.call('evaluate', [options]);
    if (options.split !== 'train') app.evaluation = evaluation;
    return evaluation;
  },
  predict: (image: Float32Array) => client.call('predict', [image]),
  example: (index: number, split?: 'train' | 'test') => client.call('example', [index, split]),
  augment: (index: number, options: AugmentOptions = {}): Promise<Picture[]> =>
    client.call('augment', [index, options]),
  activations: (layer: string, image: Float32Array): Promise<Tensor> =>
    client.call('activations', [layer, image]),
  features: (
    layer: string,
    { indices, split }: { indices: ArrayLike<number>; split?: 'train' | 'test' },
  ): Promise<Tensor> => client.call('features', [layer, Uint32Array.from(indices), split]),
  parameters: () => client.call('parameters', []),
  setParameters: async (parameters: Record<string, Tensor>): Promise<void> => {
    await client.call('setParameters', [parameters]);
    app.given = true;
  },
  visualize: (method: string, options: VisualizeOptions = {}): Promise<Picture[]> =>
    client.call('visualize', [`script-${scripts++}`, { ...options, method }]),
  counters: () => client.call('counters', []),
  on,
};

export type Convscope = typeof calls & { ready: Promise<void> };

/** Puts the interface where scripts find it. */
export function publish(ready: Promise<void>): void {
  const convscope: Convscope = Object.freeze({ ready, ...calls });
  Object.defineProperty(globalThis, 'convscope', { value: convscope, configurable: true });
}
