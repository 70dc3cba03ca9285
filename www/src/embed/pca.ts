// Principal components by power iteration on the centered vectors, without their covariance matrix: every round is
// one product with the vectors and one with their transpose.

import type { Step, Vectors } from './types';

const ROUNDS = 60;

/** The coordinates of all vectors along their two principal axes; each axis points to where its largest entry is. */
export function* pca({ features, count, width }: Vectors): Generator<Step> {
  const x = centered(features, count, width);
  const points = new Float32Array(2 * count);
  const axes: Float64Array[] = [];
  for (const axis of [0, 1]) {
    let direction = start(width, axis);
    for (let round = 0; round < ROUNDS; round++) {
      const along = times(x, direction, count, width);
      direction = transposed(x, along, count, width);
      for (const before of axes) remove(direction, before);
      normalize(direction);
      if (round % 10 === 0) yield { points, fraction: (axis + round / ROUNDS) / 2 };
    }
    const largest = direction.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    if (largest < 0) direction = direction.map((value) => -value);
    axes.push(direction);
    times(x, direction, count, width).forEach((value, i) => (points[2 * i + axis] = value));
  }
  yield { points, fraction: 1 };
}

function centered(features: Float32Array, count: number, width: number): Float64Array {
  const means = new Float64Array(width);
  features.forEach((value, i) => (means[i % width] = (means[i % width] as number) + value / count));
  return Float64Array.from(features, (value, i) => value - (means[i % width] as number));
}

/** A direction that no axis is orthogonal to, as far as one can know: uneven everywhere. */
const start = (width: number, axis: number): Float64Array =>
  normalize(Float64Array.from({ length: width }, (_, i) => Math.sin(1 + i * (1.3 + axis)) + 1.1));

function times(x: Float64Array, direction: Float64Array, count: number, width: number): Float64Array {
  const result = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += (x[i * width + j] as number) * (direction[j] as number);
    result[i] = sum;
  }
  return result;
}

function transposed(x: Float64Array, along: Float64Array, count: number, width: number): Float64Array {
  const result = new Float64Array(width);
  for (let i = 0; i < count; i++) {
    const weight = along[i] as number;
    for (let j = 0; j < width; j++) result[j] = (result[j] as number) + weight * (x[i * width + j] as number);
  }
  return result;
}

function remove(direction: Float64Array, before: Float64Array): void {
  const share = direction.reduce((sum, value, j) => sum + value * (before[j] as number), 0);
  direction.forEach((value, j) => (direction[j] = value - share * (before[j] as number)));
}

function normalize(direction: Float64Array): Float64Array {
  const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  if (length > 1e-30) direction.forEach((value, j) => (direction[j] = value / length));
  return direction;
}
