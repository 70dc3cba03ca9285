// How well classes keep together: among vectors, and among points.

/** The share of the rows of `x`, `[count, width]`, whose nearest other row has the same label. */
export function agreement(x: Float32Array, count: number, labels: Uint32Array): number {
  const width = x.length / count;
  let same = 0;
  for (let i = 0; i < count; i++) {
    let [best, nearest] = [Infinity, -1];
    for (let j = 0; j < count; j++) {
      if (j === i) continue;
      let distance = 0;
      for (let k = 0; k < width && distance < best; k++) {
        const gap = (x[i * width + k] as number) - (x[j * width + k] as number);
        distance += gap * gap;
      }
      if (distance < best) [best, nearest] = [distance, j];
    }
    if (nearest >= 0 && labels[nearest] === labels[i]) same++;
  }
  return same / Math.max(count, 1);
}
