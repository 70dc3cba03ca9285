// From points of the plane to the cells of an activation atlas (Carter et al. 2019): the images of each cell, and
// the direction among a layer's units in which their answers differ from those to all images.

export interface Cell {
  column: number;
  row: number;
  /** Places of its images in the list of all, the one nearest to their mean answer first. */
  images: number[];
  /** What weighs how much in this cell, one number per unit. */
  direction: number[];
  /** The class of the largest mean probability over its images, once that is known, and that probability. */
  label: number | null;
  probability: number;
}

/** Share of the mean variance that is added to each unit's, so that one which hardly varies does not outweigh all. */
const FLOOR = 0.05;

/** The cells of a grid of `side` x `side` over the points that have at least `least` images. */
export function cells(
  points: Float32Array,
  features: Float32Array,
  units: number,
  side: number,
  least: number,
): Cell[] {
  const count = points.length / 2;
  const answers = Array.from({ length: count }, (_, at) => mapMeans(features, at, count, units));
  const all = mean(answers, units);
  const variance = all.map((middle, u) =>
    answers.reduce((sum, answer) => sum + ((answer[u] as number) - middle) ** 2 / count, 0),
  );
  const floor = (FLOOR * variance.reduce((sum, each) => sum + each, 0)) / units + 1e-12;
  // Each axis by itself, so that the grid is full.
  const line = (axis: number) => {
    const along = points.filter((_, i) => i % 2 === axis);
    const low = along.reduce((least, x) => Math.min(least, x), Infinity);
    const high = along.reduce((most, x) => Math.max(most, x), -Infinity);
    return Array.from(along, (x) => Math.min(side - 1, Math.floor(((x - low) / (high - low || 1)) * side)));
  };
  const [across, up] = [line(0), line(1)];
  const found = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const key = (side - 1 - (up[i] as number)) * side + (across[i] as number);
    found.set(key, [...(found.get(key) ?? []), i]);
  }
  return [...found]
    .filter(([, images]) => images.length >= least)
    .sort(([a], [b]) => a - b)
    .map(([key, images]) => {
      const own = mean(
        images.map((i) => answers[i] as Float64Array),
        units,
      );
      const distance = (i: number) =>
        own.reduce((sum, middle, u) => sum + (middle - ((answers[i] as Float64Array)[u] as number)) ** 2, 0);
      return {
        column: key % side,
        row: Math.floor(key / side),
        images: images.sort((a, b) => distance(a) - distance(b)),
        direction: own.map((middle, u) => (middle - (all[u] as number)) / ((variance[u] as number) + floor)),
        label: null,
        probability: 0,
      };
    });
}

/** The mean of each map, of an answer that lists all positions one behind the other, or one number per map. */
function mapMeans(features: Float32Array, at: number, count: number, units: number): Float64Array {
  const width = features.length / count;
  const means = new Float64Array(units);
  for (let k = 0; k < width; k++)
    means[k % units] = (means[k % units] as number) + ((features[at * width + k] as number) * units) / width;
  return means;
}

const mean = (rows: Float64Array[], units: number): number[] =>
  Array.from(
    { length: units },
    (_, u) => rows.reduce((sum, row) => sum + (row[u] as number), 0) / rows.length,
  );
