// The bench page beside a built convscope, on a server of this machine, in one Chromium.

import { copyFileSync } from 'node:fs';
import path from 'node:path';

import { chromium } from 'playwright-core';
import { preview } from 'vite';

import { launchOptions } from '../../../../tests/browser/chromium';

export interface Pages {
  /** The browser's own name and version. */
  browser: string;
  /** Asks a fresh page, so that nobody sees what another left behind. `ask` is sent as text: it sees nothing but its argument. */
  ask<A, T>(ask: (argument: A) => Promise<T>, argument: A): Promise<T>;
  close(): Promise<void>;
}

/** `root` is the folder of the benchmark, `site` that of convscope's built site. */
export async function openPages(root: string, site: string): Promise<Pages> {
  const outDir = 'dist/site';
  for (const name of ['convscope.js', 'convscope_bg.wasm']) {
    copyFileSync(path.join(site, name), path.join(root, outDir, name));
  }
  // Isolated, so that clocks are fine and jax-js may use its threads.
  const headers = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  };
  const server = await preview({ root, preview: { host: '127.0.0.1', headers }, build: { outDir } });
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error('expected the bench page to be served, found no address');
  const browser = await chromium.launch(launchOptions);
  return {
    browser: `Chromium ${browser.version()}`,
    async ask<A, T>(ask: (argument: A) => Promise<T>, argument: A) {
      const page = await browser.newPage();
      page.on('console', (message) => console.log(`      ${message.text()}`));
      page.on('pageerror', (error) => console.log(`      page: ${error.message}`));
      try {
        await page.goto(url);
        await page.waitForFunction(() => 'bench' in globalThis);
        return (await page.evaluate(ask as never, argument)) as T;
      } finally {
        await page.close();
      }
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}
