// The settings worth keeping, and their way into the URL's hash and back. A hash comes from outside: it is
// versioned, capped in length, and every value that does not have the expected form is dropped. What is looked at
// on a page of its own stands behind the settings in plain words: `#v1=...&unit=<layer>/<channel>`.

import type { Options, Scale, TileKind } from './protocol';

/** What stands in the middle of the page. */
export type View = 'map' | 'unit' | 'embedding';

export interface Choice {
  id: string;
  options: Options;
}

export interface Settings {
  dataset: Choice | null;
  network: Choice | null;
  optimizer: Choice | null;
  schedule: Choice | null;
  loss: Choice | null;
  augmentations: Choice[];
  clipNorm: number;
  clipValue: number;
  averaging: number;
  testAverage: boolean;
  batchSize: number;
  epochs: number | null;
  seed: number;
  selection: { layer: string; unit: number } | null;
  probe: number;
  colors: Scale;
  /** What the tiles of the map show. */
  shows: TileKind;
  view: View;
}

export const defaults: Settings = {
  dataset: null,
  network: null,
  optimizer: null,
  schedule: null,
  loss: null,
  augmentations: [],
  clipNorm: 0,
  clipValue: 0,
  averaging: 0,
  testAverage: false,
  batchSize: 32,
  epochs: null,
  seed: 0,
  selection: null,
  probe: 0,
  colors: 'layer',
  shows: 'activation',
  view: 'map',
};

const PREFIX = 'v1=';
const LONGEST = 8192;
const SCALES: Scale[] = ['unit', 'layer', 'global'];
const KINDS: TileKind[] = ['activation', 'activationGradient', 'kernel', 'kernelGradient'];

/** The hash for these settings; what equals its default is left out. */
export function encode(settings: Settings): string {
  const { view, selection, ...rest } = settings;
  const packed = pack(view === 'map' ? { ...rest, selection } : rest);
  const named = selection && view !== 'map' ? `${view}=${link(view, selection)}` : '';
  const parts = [packed, named].filter((part) => part !== '');
  return parts.length ? `#${parts.join('&')}` : '';
}

function link(view: View, { layer, unit }: { layer: string; unit: number }): string {
  return view === 'unit' ? `${encodeURIComponent(layer)}/${unit}` : encodeURIComponent(layer);
}

function pack(settings: Partial<Settings>): string {
  const changed = Object.entries(settings).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(defaults[key as keyof Settings]),
  );
  if (changed.length === 0) return '';
  const bytes = new TextEncoder().encode(JSON.stringify(Object.fromEntries(changed)));
  const text = btoa(String.fromCharCode(...bytes));
  return PREFIX + text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The settings in a hash; whatever is missing or malformed keeps its default. */
export function decode(hash: string): Settings {
  const settings = { ...defaults };
  if (hash.length > LONGEST) return settings;
  for (const part of hash.replace(/^#/, '').split('&')) {
    try {
      if (part.startsWith(PREFIX)) Object.assign(settings, unpack(part.slice(PREFIX.length)));
      const [, view, layer, unit] = /^(unit|embedding)=([^/]+)(?:\/(\d{1,6}))?$/.exec(part) ?? [];
      if (!view || !layer) continue;
      settings.view = view as View;
      settings.selection = { layer: decodeURIComponent(layer), unit: Number(unit ?? 0) };
    } catch {
      // As if it were not there.
    }
  }
  return settings;
}

function unpack(part: string): Settings {
  const text = atob(part.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  return validate(JSON.parse(new TextDecoder().decode(bytes)));
}

function validate(value: unknown): Settings {
  const given = isRecord(value) ? value : {};
  return {
    dataset: choice(given['dataset']),
    network: choice(given['network']),
    optimizer: choice(given['optimizer']),
    schedule: choice(given['schedule']),
    loss: choice(given['loss']),
    augmentations: choices(given['augmentations']),
    clipNorm: real(given['clipNorm'], 0, 1e6) ?? defaults.clipNorm,
    clipValue: real(given['clipValue'], 0, 1e6) ?? defaults.clipValue,
    averaging: real(given['averaging'], 0, 0.999_999) ?? defaults.averaging,
    testAverage: given['testAverage'] === true,
    batchSize: whole(given['batchSize'], 1, 4096) ?? defaults.batchSize,
    epochs: whole(given['epochs'], 1, 10_000),
    seed: whole(given['seed'], 0, 2 ** 32 - 1) ?? defaults.seed,
    selection: selection(given['selection']),
    probe: whole(given['probe'], 0, 1e9) ?? defaults.probe,
    colors: SCALES.find((each) => each === given['colors']) ?? defaults.colors,
    shows: KINDS.find((each) => each === given['shows']) ?? defaults.shows,
    view: defaults.view,
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function whole(value: unknown, min: number, max: number): number | null {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
    ? (value as number)
    : null;
}

function real(value: unknown, min: number, max: number): number | null {
  return typeof value === 'number' && value >= min && value <= max ? value : null;
}

/** Each id once. */
function choices(value: unknown): Choice[] {
  const found = (Array.isArray(value) ? value : []).map(choice).filter((each) => each !== null);
  return found.filter(({ id }, at) => found.findIndex((other) => other.id === id) === at);
}

function choice(value: unknown): Choice | null {
  if (!isRecord(value) || typeof value['id'] !== 'string') return null;
  const options: Options = {};
  for (const [name, option] of Object.entries(isRecord(value['options']) ? value['options'] : {})) {
    if (['number', 'string', 'boolean'].includes(typeof option)) options[name] = option as Options[string];
  }
  return { id: value['id'], options };
}

function selection(value: unknown): Settings['selection'] {
  if (!isRecord(value) || typeof value['layer'] !== 'string') return null;
  return { layer: value['layer'], unit: whole(value['unit'], 0, 1e6) ?? 0 };
}
