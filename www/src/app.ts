// The page's entry: mounts the views and publishes the scripting interface.
import { mount } from 'svelte';

import App from './App.svelte';
import './style/tokens.css';

const target = document.getElementById('app');
if (target) mount(App, { target });
