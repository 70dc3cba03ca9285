import { defineConfig } from 'vite';

// Two builds: the page with its workers into dist/site, and with --ssr the runner (Node) into dist/runner.
export default defineConfig(({ isSsrBuild }) => ({
  worker: { format: 'es' },
  logLevel: 'warn',
  build: {
    outDir: isSsrBuild ? 'dist/runner' : 'dist/site',
    target: isSsrBuild ? 'node20' : 'esnext',
    // Peers are measured as their users build them, and three engines are large.
    chunkSizeWarningLimit: 4000,
  },
}));
