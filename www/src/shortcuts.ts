// Keyboard shortcuts, silent while someone types or holds a modifier.

import { pause, reset, select, show, step, train } from './actions';
import { app } from './state.svelte';

export const shortcuts: [key: string, what: string][] = [
  ['Space', 'train or pause'],
  ['.', 'one step'],
  ['r', 'start again with fresh weights'],
  ['← → ↓ ↑', 'in the map: between layers, into the units'],
  ['+ − 0', 'in the map: zoom in, out, fit'],
  ['p n', 'previous and next unit of the layer'],
  ['u', 'the page of the unit, or back to the map'],
  ['?', 'this help'],
];

export function handleKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement | null;
  if (event.ctrlKey || event.metaKey || event.altKey || target?.closest('input, select, textarea')) return;
  // Space belongs to a focused button or summary.
  if (event.key === ' ' && target?.closest('button, summary, a, dialog')) return;
  const actions: Record<string, () => unknown> = {
    ' ': () => (app.run === 'training' ? pause() : train()),
    '.': step,
    r: reset,
    p: () => selectNear(-1),
    n: () => selectNear(1),
    u: () => show(app.settings.view === 'unit' ? 'map' : 'unit'),
    '?': () => (app.help = !app.help),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  void action();
}

function selectNear(by: number): void {
  const { layer, unit } = app;
  if (layer && unit + by >= 0 && unit + by < layer.shape[0]) select(layer.id, unit + by);
}
