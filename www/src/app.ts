// The page's entry: theme and layout, the scripting interface, the laboratory, the views.
import { mount } from 'svelte';

import { start } from './actions';
import { publish } from './api';
import App from './App.svelte';
import { app } from './state.svelte';
import './style/tokens.css';
import './style/base.css';
import { startLayout, startTheme } from './theme';

startTheme();
startLayout();
const ready = start();
ready.catch((error: unknown) => {
  app.loading = '';
  app.fatal = error instanceof Error ? error.message : String(error);
});
publish(ready);
const target = document.getElementById('app');
if (target) mount(App, { target });
