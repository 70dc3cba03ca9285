// The two color maps, sampled exactly as the core samples them: linear between nine anchors (colormaps.json).

import anchors from './colormaps.json';

type Rgb = [number, number, number];
const parse = (hex: string): Rgb => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as Rgb;
const maps = { sequential: anchors.sequential.map(parse), diverging: anchors.diverging.map(parse) };
export type Map = keyof typeof maps;

/** The color at `t` in 0..1. */
export function color(map: Map, t: number): Rgb {
  const colors = maps[map];
  const at = Math.min(Math.max(t, 0), 1) * (colors.length - 1);
  const low = Math.min(Math.floor(at), colors.length - 2);
  const [a, b] = [colors[low] as Rgb, colors[low + 1] as Rgb];
  return a.map((value, i) => Math.round(value + ((b[i] as number) - value) * (at - low))) as Rgb;
}

/** A CSS gradient of the whole map, left to right. */
export function gradient(map: Map): string {
  return `linear-gradient(to right, ${anchors[map].join(', ')})`;
}

/** Fills an RGBA image from CHW values. Three channels are colors in 0..1; one is mapped from `low` to `high`. */
export function paint(
  pixels: Uint8ClampedArray,
  data: Float32Array,
  channels: number,
  map: Map | 'gray',
  low: number,
  high: number,
): void {
  const area = pixels.length / 4;
  const span = high - low || 1;
  for (let i = 0; i < area; i++) {
    const at = (c: number) => ((data[c * area + i] ?? 0) - low) / span;
    let rgb: Rgb;
    if (channels === 3) rgb = [at(0) * 255, at(1) * 255, at(2) * 255];
    else if (map === 'gray') rgb = [at(0) * 255, at(0) * 255, at(0) * 255];
    else rgb = color(map, at(0));
    pixels.set([rgb[0], rgb[1], rgb[2], 255], i * 4);
  }
}

/**
 * Lets the image `under` (CHW in 0..1) show through a painted map, in gray, where the map's values are small: near
 * zero, or near the low end of a range that begins there.
 */
export function layOver(
  pixels: Uint8ClampedArray,
  data: Float32Array,
  [low, high]: [number, number],
  under: Float32Array,
): void {
  const area = data.length;
  const channels = Math.max(1, Math.round(under.length / area));
  const most = magnitude(low, high);
  for (let i = 0; i < area; i++) {
    let gray = 0;
    for (let c = 0; c < channels; c++) gray += (under[c * area + i] ?? 0) / channels;
    const opacity = Math.min(1, 0.15 + Math.abs(data[i] ?? 0) / most);
    for (let k = 4 * i; k < 4 * i + 3; k++)
      pixels[k] = (pixels[k] as number) * opacity + 255 * gray * (1 - opacity);
  }
}

/** Where a scale around zero ends that has room for all from `low` to `high`; of nothing but zeros it is any, say 1. */
export const magnitude = (low: number, high: number): number => Math.max(-low, high) || 1;

/** The smallest and largest finite value. */
export function extent(data: ArrayLike<number>): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}
