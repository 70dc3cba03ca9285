// Keyboard shortcuts, silent while someone types or holds a modifier.

import { pause, reset, step, train } from './actions';
import { app } from './state.svelte';

export const shortcuts: [key: string, what: string][] = [
  ['Space', 'train or pause'],
  ['.', 'one step'],
  ['r', 'start again with fresh weights'],
  ['← → ↓ ↑', 'in the map: between layers, into the units'],
  ['+ − 0', 'in the map: zoom in, out, fit'],
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
    '?': () => (app.help = !app.help),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  void action();
}
