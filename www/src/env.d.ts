/** Changes with every build, so that unhashed files (worker, wasm) are never taken from a stale cache. */
declare const __BUILD_ID__: string;
