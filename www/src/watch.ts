// Reads back the few numbers that follow the live pictures: class probabilities and value ranges. One round at a
// time, a few times a second; never more than is shown.

import type { Client } from './client';
import { app } from './state.svelte';

const FAST = 300;
const SLOW = 1500;

/** Starts a round after a redraw, when the last one is old enough. */
export function watchPictures(client: Client): void {
  let busy = false;
  let again = false;
  let fast = 0;
  let slow = 0;

  const round = async () => {
    const now = performance.now();
    const still = app.run !== 'training';
    if ((now - fast >= FAST || still) && app.probe) {
      fast = now;
      app.probabilities = await client.call('probabilities', []);
    }
    if (now - slow >= SLOW || still) {
      slow = now;
      const { shows } = app.settings;
      app.ranges = await client.call('ranges', [shows === 'activationGradient' ? shows : 'activation']);
      if (app.layer?.kernel)
        app.kernelRanges = await client.call('ranges', [shows === 'kernelGradient' ? shows : 'kernel']);
    }
  };

  const follow = async () => {
    if (busy || document.hidden || !app.ready) {
      again = true;
      return;
    }
    busy = true;
    again = false;
    await round().catch(() => undefined);
    busy = false;
    if (again) setTimeout(() => void follow(), FAST);
  };

  client.listen((event) => {
    if (event.event === 'presented') void follow();
  });
}
