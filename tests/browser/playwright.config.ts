// How the browser tests run: the site that `cargo xtask test browser` built and serves, in the machine's
// own Chromium. The launch flags live here and nowhere else.
import { defineConfig } from '@playwright/test';

const baseURL = process.env.CONVSCOPE_URL;
if (!baseURL) {
  throw new Error('Expected CONVSCOPE_URL, found none: run `cargo xtask test browser`.');
}

// WebGPU without a GPU: Chromium 156 gives headless pages and their workers SwiftShader's adapter with
// exactly these four, and none with fewer. They change between versions; adapter.spec.ts says so first.
const softwareWebGpu = [
  '--use-angle=swiftshader',
  '--use-vulkan=swiftshader',
  '--enable-features=Vulkan',
  '--enable-unsafe-webgpu',
];

// Nothing outside this machine is asked for anything.
const quiet = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

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
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--headless=new', '--no-sandbox', ...softwareWebGpu, ...quiet],
      timeout: 60_000,
    },
  },
});
