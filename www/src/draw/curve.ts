// History of a run as columns for the plot: thinned to what a plot can show, smoothed as asked.

import type { StepEvent } from '../protocol';

export interface Columns {
  steps: number[];
  loss: (number | null)[];
  accuracy: (number | null)[];
}

/** At most `limit` points, each the mean of the steps it stands for, then an exponential mean of weight `smoothing`. */
export function columns(history: StepEvent[], limit: number, smoothing: number): Columns {
  const size = Math.max(1, Math.ceil(history.length / limit));
  const result: Columns = { steps: [], loss: [], accuracy: [] };
  let [loss, accuracy, weight] = [0, 0, 0];
  for (let start = 0; start < history.length; start += size) {
    const part = history.slice(start, start + size);
    const mean = (key: 'loss' | 'accuracy') => part.reduce((sum, step) => sum + step[key], 0) / part.length;
    const finite = Number.isFinite(mean('loss'));
    if (finite) {
      loss = smoothing * loss + (1 - smoothing) * mean('loss');
      accuracy = smoothing * accuracy + (1 - smoothing) * mean('accuracy');
      weight = smoothing * weight + (1 - smoothing);
    }
    result.steps.push(part.at(-1)?.step ?? 0);
    result.loss.push(finite ? loss / weight : null);
    result.accuracy.push(finite ? accuracy / weight : null);
  }
  return result;
}
