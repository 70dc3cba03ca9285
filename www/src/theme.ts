// Light, dark, or what the system says; the choice is kept in this browser.

import { app, type Theme } from './state.svelte';

const KEY = 'convscope.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function apply(): void {
  app.dark = app.theme === 'system' ? system.matches : app.theme === 'dark';
  document.documentElement.dataset['theme'] = app.dark ? 'dark' : 'light';
}

export function setTheme(theme: Theme): void {
  app.theme = theme;
  localStorage.setItem(KEY, theme);
  apply();
}

/** Applies the kept theme and follows the system's. */
export function startTheme(): void {
  const kept = localStorage.getItem(KEY);
  if (kept === 'light' || kept === 'dark') app.theme = kept;
  system.addEventListener('change', apply);
  apply();
}

/** Follows the window's width: three layouts. */
export function startLayout(): void {
  const wide = matchMedia('(min-width: 1200px)');
  const narrow = matchMedia('(max-width: 699px)');
  const follow = () => {
    app.layout = wide.matches ? 'wide' : narrow.matches ? 'narrow' : 'medium';
    app.drawer = app.inspector = app.layout === 'wide';
  };
  wide.addEventListener('change', follow);
  narrow.addEventListener('change', follow);
  follow();
}
