// How the browser tests run: the site that `cargo xtask test browser` built and serves, in the machine's
// own Chromium.
import { defineConfig } from '@playwright/test';

import { launchOptions } from './chromium';

const baseURL = process.env.CONVSCOPE_URL;
if (!baseURL) {
  throw new Error('Expected CONVSCOPE_URL, found none: run `cargo xtask test browser`.');
}

export default defineConfig({
  testDir: '.',
  outputDir: '../../test-results',
  reporter: [['list']],
  // One page at a time: a software adapter takes every core there is.
  workers: 1,
  forbidOnly: !!process.env.CI,
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  use: {
    baseURL,
    viewport: { width: 1440, height: 900 },
    screenshot: 'only-on-failure',
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    launchOptions,
  },
});
