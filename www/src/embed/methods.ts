// The ways into the plane, in the order of the menu. The neighbor embeddings are druidjs's, a file of its own that
// is loaded when one is first asked for.

import { pca } from './pca';
import type { Embedding, Step, Vectors } from './types';

const STEPS = 400;

/** Rows as druidjs takes them; vectors that never vary would divide by zero. */
function rows({ features, count, width }: Vectors): Float64Array[] {
  return Array.from({ length: count }, (_, i) =>
    Float64Array.from(features.subarray(i * width, (i + 1) * width)),
  );
}

interface Walk {
  generator(steps: number): Generator<ArrayLike<number>[]>;
}

function* follow(walk: Walk): Generator<Step> {
  let step = 0;
  for (const plane of walk.generator(STEPS)) {
    const points = new Float32Array(2 * plane.length);
    plane.forEach((point, i) => points.set([point[0] ?? 0, point[1] ?? 0], 2 * i));
    yield { points, fraction: ++step / STEPS };
  }
}

export const methods: Embedding[] = [
  {
    id: 'pca',
    name: 'PCA',
    doc: 'The plane in which the vectors vary most: distances are true, but only two directions are seen.',
    run: pca,
  },
  {
    id: 'tsne',
    name: 't-SNE',
    doc: 'Neighbors stay neighbors; distances between groups mean little (van der Maaten & Hinton 2008).',
    async *run(vectors) {
      const { TSNE } = await import('./neighbor');
      const perplexity = Math.max(2, Math.min(30, (vectors.count - 1) / 3));
      yield* follow(new TSNE(rows(vectors), { perplexity, epsilon: 10, seed: vectors.seed }));
    },
  },
  {
    id: 'umap',
    name: 'UMAP',
    doc: 'Neighbors stay neighbors, and something of the whole shape is kept (McInnes et al. 2018).',
    async *run(vectors) {
      const { UMAP } = await import('./neighbor');
      const n_neighbors = Math.max(2, Math.min(15, vectors.count - 1));
      yield* follow(new UMAP(rows(vectors), { n_neighbors, min_dist: 0.1, seed: vectors.seed }));
    },
  },
];
