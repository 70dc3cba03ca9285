// How often an engine calls the graphics APIs, counted from outside by wrapping their prototypes: the same
// ruler for all engines, convscope included.

export interface Counts {
  /** Compute dispatches, or draw calls of WebGL. */
  dispatches: number;
  passes: number;
  submits: number;
  bindGroups: number;
  buffers: number;
  bytesWritten: number;
  readbacks: number;
}

export const NO_COUNTS: Counts = {
  dispatches: 0,
  passes: 0,
  submits: 0,
  bindGroups: 0,
  buffers: 0,
  bytesWritten: 0,
  readbacks: 0,
};

const counts = { ...NO_COUNTS };

/** The counts since the last call. */
export function takeCounts(): Counts {
  const taken = { ...counts };
  Object.assign(counts, NO_COUNTS);
  return taken;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

function wrap(owner: { prototype: object } | undefined, name: string, note: (args: unknown[]) => void): void {
  if (!owner) return;
  const prototype = owner.prototype as Record<string, Method | undefined>;
  const original = prototype[name];
  if (!original) return;
  prototype[name] = function (...args) {
    note(args);
    return original.apply(this, args);
  };
}

/** Bytes that `writeBuffer(buffer, offset, data, dataOffset, size)` uploads. */
function bytesOf([, , data, offset, size]: unknown[]): number {
  const view = data as ArrayBuffer | (ArrayBufferView & { BYTES_PER_ELEMENT?: number });
  const element = ('BYTES_PER_ELEMENT' in view && view.BYTES_PER_ELEMENT) || 1;
  return size === undefined ? view.byteLength - Number(offset ?? 0) * element : Number(size) * element;
}

/** Begins to count. Must run before an engine is loaded, which may keep a method for itself. */
export function countCalls(): void {
  const one = (key: keyof Counts) => () => void counts[key]++;
  const global = globalThis as unknown as Record<string, { prototype: object } | undefined>;
  wrap(global['GPUComputePassEncoder'], 'dispatchWorkgroups', one('dispatches'));
  wrap(global['GPUComputePassEncoder'], 'dispatchWorkgroupsIndirect', one('dispatches'));
  wrap(global['GPUCommandEncoder'], 'beginComputePass', one('passes'));
  wrap(global['GPUQueue'], 'submit', one('submits'));
  wrap(global['GPUQueue'], 'writeBuffer', (args) => (counts.bytesWritten += bytesOf(args)));
  wrap(global['GPUDevice'], 'createBindGroup', one('bindGroups'));
  wrap(global['GPUDevice'], 'createBuffer', one('buffers'));
  wrap(global['GPUBuffer'], 'mapAsync', one('readbacks'));
  for (const draw of ['drawArrays', 'drawElements']) {
    wrap(global['WebGL2RenderingContext'], draw, one('dispatches'));
  }
  wrap(global['WebGL2RenderingContext'], 'readPixels', one('readbacks'));
  wrap(global['WebGL2RenderingContext'], 'createTexture', one('buffers'));
}
