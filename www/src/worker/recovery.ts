// What it takes to bring the laboratory back after the GPU was lost (a driver that restarts, a laptop that wakes):
// the last question of each kind that changed it, to be asked again, and the weights as they were a few seconds ago.

import type { CallName, NamedBytes, Request, Tensor } from '../protocol';

/** Calls that are asked again, in this order; those of a view once for each. */
const AGAIN: CallName[] = [
  'setDataset',
  'setDatasetFiles',
  'setNetwork',
  'reset',
  'setProbe',
  'attachCanvas',
  'resizeCanvas',
  'setTiles',
];
const OF_A_VIEW: CallName[] = ['attachCanvas', 'resizeCanvas', 'setTiles'];

/** Weights are read at most this often (milliseconds). */
const INTERVAL = 10_000;

type Call = Pick<Request, 'method' | 'args'>;

export class Recovery {
  private readonly calls = new Map<string, { method: CallName; args: () => Promise<unknown[]> }>();
  private next = 0;
  /** The weights as they were read last; none if they are those that the seed draws. */
  kept: Record<string, Tensor> | undefined;
  /** Whether the weights have moved since they were read. */
  stale = false;

  /** Notes a call that was answered. */
  note({ method, args }: Call): void {
    if (!AGAIN.includes(method) || (method === 'reset' && args[0] === undefined)) return;
    // One dataset takes the other's place.
    const kind = method === 'setDatasetFiles' ? 'setDataset' : method;
    const key = OF_A_VIEW.includes(method) ? `${kind} ${String(args[0])}` : kind;
    this.calls.set(key, { method, args: method === 'setDatasetFiles' ? aside(args) : async () => args });
  }

  /** Everything to be asked again. */
  async again(): Promise<Call[]> {
    const place = ({ method }: { method: CallName }) => AGAIN.indexOf(method);
    const calls = [...this.calls.values()].sort((a, b) => place(a) - place(b));
    return Promise.all(calls.map(async ({ method, args }) => ({ method, args: await args() })));
  }

  /** New weights are drawn: these come back by their seed. */
  restarted(): void {
    [this.kept, this.stale] = [undefined, false];
  }

  /** Whether it is time to read the weights. */
  get due(): boolean {
    return this.stale && performance.now() >= this.next;
  }

  /** Reads them, where that can be. */
  async keep(read: () => Promise<Record<string, Tensor>> | undefined): Promise<void> {
    this.next = performance.now() + INTERVAL;
    this.stale = false;
    this.kept = await read();
  }
}

/** Files, whose bytes the browser may put where memory is not short. */
function aside(args: unknown[]): () => Promise<unknown[]> {
  const [name, files] = args as [string, NamedBytes[]];
  const blobs = files.map((file) => ({ name: file.name, blob: new Blob([file.bytes as BlobPart]) }));
  const back = async ({ name, blob }: { name: string; blob: Blob }) => ({
    name,
    bytes: new Uint8Array(await blob.arrayBuffer()),
  });
  return async () => [name, await Promise.all(blobs.map(back))];
}
