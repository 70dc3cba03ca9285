// How Chromium is started, for the browser tests and for the benchmark in benches/browser. The launch flags
// live here and nowhere else.

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

export const launchOptions = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless=new', '--no-sandbox', ...softwareWebGpu, ...quiet],
  timeout: 60_000,
};
