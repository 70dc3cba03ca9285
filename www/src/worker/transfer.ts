// Which buffers of an answer can be handed over instead of copied.

/** The buffers of all typed arrays inside a plain value, each once. */
export function transferables(value: unknown): Transferable[] {
  const found = new Set<Transferable>();
  collect(value, found, 0);
  return [...found];
}

function collect(value: unknown, found: Set<Transferable>, depth: number): void {
  if (depth > 4 || typeof value !== 'object' || value === null) return;
  if (ArrayBuffer.isView(value)) {
    // A view over the wasm memory itself must never be detached; the core copies out, and this makes sure.
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength)
      found.add(value.buffer);
    return;
  }
  for (const inner of Object.values(value)) collect(inner, found, depth + 1);
}
