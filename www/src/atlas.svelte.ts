// An activation atlas under way: the cells of an embedding, what the network says to the images of each, and its
// icon, which the core draws along the cell's direction. A newer question ends the one before.

import { client } from './actions';
import { cells, type Cell } from './draw/atlas';
import type { Plane } from './embedding.svelte';
import type { Layer, Picture } from './protocol';
import { app } from './state.svelte';

const PANEL = 'atlas';
/** Images that are asked about at once, so that live pictures and training come between. */
const SLICE = 32;
/** Share of the progress bar that is the network's answers. */
const ASKED = 0.2;

export class Atlas {
  cells = $state.raw<Cell[]>([]);
  icons = $state.raw<Picture[]>([]);
  fraction = $state(0);
  running = $state(false);
  refusal = $state('');
  private turn = 0;

  /** The atlas of what the plane shows, `side` x `side` cells. */
  async run({ points, answers, shown }: Plane, layer: Layer, side: number, least: number, seed: number) {
    this.stop();
    const mine = this.turn;
    const wanted = () => mine === this.turn;
    [this.icons, this.fraction, this.refusal, this.running] = [[], 0, '', true];
    const found = cells(points, answers, layer.shape[0], side, least);
    this.cells = found;
    const unlisten = client.listen((event) => {
      if (event.event !== 'progress' || event.panel !== PANEL || !wanted()) return;
      this.fraction = ASKED + (1 - ASKED) * event.fraction;
      this.icons = event.pictures ?? this.icons;
    });
    try {
      const method = app.catalog?.visualizations.find(({ directions }) => directions);
      if (found.length === 0)
        throw new Error(
          `No cell has ${least} images or more: take fewer cells, more images, or train the network.`,
        );
      const asked = found.flatMap(({ images }) => images);
      const said: Float32Array[] = [];
      for (let start = 0; start < asked.length; start += SLICE) {
        const slice = asked.slice(start, start + SLICE);
        const ask = async (i: number) => {
          const image = shown[i]?.image ?? new Float32Array();
          said[i] = await client.call('predict', [image]);
        };
        await Promise.all(slice.map(ask));
        if (!wanted()) return;
        this.fraction = (ASKED * start) / asked.length;
      }
      this.cells = found.map((cell) => ({ ...cell, ...answer(cell.images.map((i) => said[i] ?? [])) }));
      const directions = Float32Array.from(found.flatMap(({ direction }) => direction));
      const options = { method: method?.id ?? '', layer: layer.id, directions, seed };
      const icons = await client.call('visualize', [PANEL, options]);
      if (wanted()) this.icons = icons;
    } catch (error) {
      if (wanted()) this.refusal = error instanceof Error ? error.message : String(error);
    } finally {
      unlisten();
      if (wanted()) this.running = false;
    }
  }

  /** Ends it where it stands. */
  stop(): void {
    this.turn++;
    if (this.running) void client.call('stop', [PANEL]).catch(() => undefined);
    this.running = false;
  }
}

/** The class of the largest mean probability. */
function answer(said: ArrayLike<number>[]): { label: number; probability: number } {
  const classes = said[0]?.length ?? 0;
  const means = Array.from({ length: classes }, (_, c) =>
    said.reduce((sum, each) => sum + (each[c] as number) / said.length, 0),
  );
  const probability = Math.max(...means);
  return { label: means.indexOf(probability), probability };
}
