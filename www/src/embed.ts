// The second worker: puts vectors into the plane, away from the page and away from the core, and tells every few
// steps how far it is. Stopping it is ending it.

import { methods } from './embed/methods';
import { agreement } from './embed/neighbors';
import type { Asked, Told } from './embed/types';

/** Pictures of the way are told at most this often (milliseconds). */
const INTERVAL = 80;

async function embed({ method, features, count, labels, seed }: Asked): Promise<void> {
  const width = features.length / count;
  const found = methods.find(({ id }) => id === method);
  if (!found) throw new Error(`embedding: expected one of ${methods.map(({ id }) => id)}, found ${method}`);
  let told = 0;
  let points: Float32Array = new Float32Array(2 * count);
  for await (const step of found.run({ features, count, width, seed })) {
    points = step.points;
    if (performance.now() - told < INTERVAL) continue;
    told = performance.now();
    tell({ points: points.slice(), fraction: step.fraction, done: false });
  }
  const same: [number, number] = [agreement(features, count, labels), agreement(points, count, labels)];
  tell({ points, fraction: 1, done: true, agreement: same });
}

const tell = (told: Told) => self.postMessage(told);

tell({ methods: methods.map(({ id, name, doc }) => ({ id, name, doc })) });
self.onmessage = ({ data }: MessageEvent<Asked>) => {
  embed(data).catch((error: unknown) =>
    tell({ error: error instanceof Error ? error.message : String(error) }),
  );
};
