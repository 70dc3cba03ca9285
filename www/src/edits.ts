// Changes of a network by hand: a unit's weights set to zero, one weight set to a value, and back. Everything else
// that looks at a network leaves it as it is; what is changed here is kept in `app.edits` until it is restored.

import { client } from './actions';
import { value } from './draw/format';
import type { Evaluation, Layer, Tensor } from './protocol';
import { app, type Edit } from './state.svelte';

/** What a layer computes a unit with, by the names of PyTorch. */
const OWN = ['weight', 'bias'];

/** The accuracy before and after a change. */
export interface Change {
  before: Evaluation;
  after: Evaluation;
}

/**
 * The parameters that are the unit's own, by name, one row of each: those of its layer, and of the layers before it
 * as far as these only pass channels on.
 */
export function own(layer: Layer, parameters: Record<string, Tensor>): [name: string, tensor: Tensor][] {
  const found = OWN.map((name): [string, Tensor | undefined] => [
    `${layer.id}.${name}`,
    parameters[`${layer.id}.${name}`],
  ]).filter((entry): entry is [string, Tensor] => entry[1]?.shape[0] === layer.shape[0]);
  const computes = found.some(([, { shape }]) => shape.length > 1);
  const [before] = layer.inputs.map((input) => app.network?.layers.find(({ id }) => id === input));
  const passes = before?.inputs.length && layer.inputs.length === 1 && before.shape[0] === layer.shape[0];
  return !computes && passes ? [...own(before, parameters), ...found] : found;
}

/** Sets all of the unit's weights and its bias to zero. */
export async function silence(layer: Layer, unit: number): Promise<Change> {
  const parameters = await client.call('parameters', []);
  const parts = own(layer, parameters).map(([parameter, { shape, data }]) => {
    const length = data.length / (shape[0] ?? 1);
    const places = Array.from({ length }, (_, i) => unit * length + i);
    return { parameter, places, before: places.map((place) => data[place] ?? 0) };
  });
  return measured(() => write({ what: `${layer.id} unit ${unit} is silent`, parts }, 0));
}

/** Sets one value of a parameter. */
export async function setValue(parameter: string, place: number, wanted: number): Promise<Change> {
  const { data, shape } = (await client.call('parameters', []))[parameter] ?? { data: [], shape: [] };
  const what = `${parameter}[${coordinates(place, shape).join(', ')}] is ${value(wanted)}`;
  const parts = [{ parameter, places: [place], before: [data[place] ?? 0] }];
  return measured(() => write({ what, parts }, wanted));
}

/** Takes the last change back. */
export const undo = (): Promise<void> => takeBack(app.edits.length - 1);

/** Takes all changes back, also after steps of training in between: only what was changed. */
export const restore = (): Promise<void> => takeBack(0);

async function takeBack(from: number): Promise<void> {
  const parts = app.edits
    .slice(from)
    .flatMap((edit) => edit.parts)
    .reverse();
  await put(parts, (part, i) => part.before[i] ?? 0);
  app.edits = app.edits.slice(0, from);
  app.evaluation = null;
}

async function write(edit: Edit, wanted: number): Promise<void> {
  await put(edit.parts, () => wanted);
  app.edits = [...app.edits, edit];
}

/** Puts values into the places of each part, one part after the other. */
async function put(
  parts: Edit['parts'],
  wanted: (part: Edit['parts'][0], i: number) => number,
): Promise<void> {
  const parameters = await client.call('parameters', []);
  const changed: Record<string, Tensor> = {};
  for (const part of parts) {
    const tensor = parameters[part.parameter];
    if (!tensor) throw new Error(`expected the parameter ${part.parameter}, found none of this name`);
    part.places.forEach((place, i) => (tensor.data[place] = wanted(part, i)));
    changed[part.parameter] = tensor;
  }
  await client.call('setParameters', [changed]);
}

async function measured(change: () => Promise<void>): Promise<Change> {
  const evaluate = () => client.call('evaluate', [{ split: 'test' }]);
  const before = await evaluate();
  await change();
  const after = await evaluate();
  app.evaluation = after;
  return { before, after };
}

/** Where a place of flat data is, axis by axis. */
export function coordinates(place: number, shape: number[]): number[] {
  const found: number[] = [];
  for (const extent of [...shape].reverse()) {
    found.unshift(place % extent);
    place = Math.floor(place / extent);
  }
  return found;
}
