// A canvas that the core draws: hands it to the worker once, keeps its size in device pixels, sends tile lists.

import { client } from '../actions';
import type { Tile } from '../protocol';
import { app } from '../state.svelte';

/** The page's surface color as the core takes it. */
export function background(token: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(token).trim();
}

export class LiveCanvas {
  width = $state(0);
  height = $state(0);
  /** Tile lists sent so far; `app.tiles[view]` says how many of them the last redraw had seen. */
  sent = 0;
  ratio = $state(1);
  private attached = false;

  constructor(readonly view: string) {}

  /** Svelte attachment: takes the canvas over and follows its size. */
  attach = (canvas: HTMLCanvasElement): (() => void) => {
    const observer = new ResizeObserver(() => this.resize(canvas));
    observer.observe(canvas);
    return () => observer.disconnect();
  };

  private resize(canvas: HTMLCanvasElement): void {
    this.ratio = devicePixelRatio;
    const { width, height } = canvas.getBoundingClientRect();
    if (width === 0 || height === 0) {
      this.width = this.height = 0;
      return;
    }
    const [w, h] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    if (!this.attached) {
      this.attached = true;
      canvas.width = w;
      canvas.height = h;
      const offscreen = canvas.transferControlToOffscreen();
      void client.call('attachCanvas', [this.view, offscreen], [offscreen]).catch(report);
    }
    void client.call('resizeCanvas', [this.view, w, h]).catch(report);
    [this.width, this.height] = [w, h];
  }

  show(tiles: Tile[], token: string): void {
    if (!this.attached || !app.ready) return;
    this.sent++;
    const { network } = app;
    void client.call('setTiles', [this.view, tiles, background(token)]).catch((error: unknown) => {
      // Tiles of a network that was replaced meanwhile are nobody's mistake.
      if (app.network === network) report(error);
    });
  }
}

function report(error: unknown): void {
  console.warn(error instanceof Error ? error.message : error);
}
