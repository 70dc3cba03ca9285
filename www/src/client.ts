// The page's only door to the worker: a promise for every call, listeners for what the worker tells.

import type { Answer, CallName, Calls, LabEvent, Request } from './protocol';

type Pending = { resolve(value: unknown): void; reject(error: Error): void };
type Listener = (event: LabEvent) => void;

export class Client {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Set<Listener>();
  private next = 0;

  constructor() {
    const url = new URL(`worker.js?v=${__BUILD_ID__}`, document.baseURI);
    this.worker = new Worker(url, { type: 'module', name: 'convscope' });
    this.worker.onmessage = ({ data }: MessageEvent<Answer | LabEvent>) => this.receive(data);
    this.worker.onerror = ({ message }) =>
      this.fail(message || 'expected worker.js beside the page, could not load it');
  }

  /** Asks one thing. Rejects with the core's sentence. What is in `transfer` is handed over, not copied. */
  call<K extends CallName>(
    method: K,
    args: Parameters<Calls[K]>,
    transfer: Transferable[] = [],
  ): Promise<ReturnType<Calls[K]>> {
    const request: Request = { id: this.next++, method, args };
    this.worker.postMessage(request, transfer);
    return new Promise((resolve, reject) => {
      this.pending.set(request.id, { resolve: resolve as (value: unknown) => void, reject });
    });
  }

  /** Listens to everything the worker tells; returns what ends it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private receive(data: Answer | LabEvent): void {
    if ('event' in data) {
      for (const listener of this.listeners) listener(data);
      return;
    }
    const pending = this.pending.get(data.id);
    this.pending.delete(data.id);
    if ('error' in data) pending?.reject(new Error(data.error));
    else pending?.resolve(data.value);
  }

  private fail(cause: string): void {
    const message = `The worker failed: ${cause}. Reload the page to go on; settings are kept.`;
    this.receive({ event: 'error', message, fatal: true });
    for (const { reject } of this.pending.values()) reject(new Error(message));
    this.pending.clear();
  }
}
