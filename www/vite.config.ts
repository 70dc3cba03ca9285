import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// Three entries with fixed names: Trunk hashes and serves what lands in .gen (see Trunk.toml).
// The core's module (convscope.js) is loaded by the worker at run time and never bundled.
export default defineConfig({
  plugins: [svelte()],
  // Trunk leaves worker.js and the wasm unhashed on purpose; this id keeps caches honest.
  define: { __BUILD_ID__: JSON.stringify(Date.now().toString(36)) },
  build: {
    outDir: '.gen',
    emptyOutDir: true,
    target: 'es2022',
    cssCodeSplit: false,
    modulePreload: false,
    rollupOptions: {
      input: { app: 'src/app.ts', worker: 'src/worker.ts', embed: 'src/embed.ts' },
      external: [/convscope\.js$/],
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name].js',
        assetFileNames: 'app[extname]',
      },
    },
  },
});
