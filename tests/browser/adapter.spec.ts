// Whether this browser can run the other tests at all: a dedicated worker must get a WebGPU adapter. When it
// does not, the launch flags in chromium.ts no longer fit the browser's version.
import { expect, test } from '@playwright/test';

const probe = `
  const adapter = await navigator.gpu?.requestAdapter();
  const device = await adapter?.requestDevice();
  postMessage({
    api: !!navigator.gpu,
    adapter: adapter ? adapter.info.vendor + '/' + adapter.info.architecture : null,
    device: !!device,
  });
`;

test('a dedicated worker gets a WebGPU device', async ({ page, browser }) => {
  // The page's policy allows workers from its own origin only, so the probe is served from there.
  await page.route('**/probe.js', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      headers: { 'Cross-Origin-Embedder-Policy': 'require-corp' },
      body: probe,
    }),
  );
  await page.route('**/probe.html', (route) =>
    route.fulfill({
      contentType: 'text/html',
      headers: {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      },
      body: '<!doctype html><title>probe</title>',
    }),
  );
  await page.goto('/probe.html');
  const found = await page.evaluate(
    () =>
      new Promise<unknown>((resolve) => {
        const worker = new Worker('/probe.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => resolve(message);
      }),
  );
  expect(found, `Chromium ${browser.version()}`).toEqual({
    api: true,
    adapter: expect.stringMatching(/^google\/swiftshader/),
    device: true,
  });
});
