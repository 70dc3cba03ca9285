// Where an engine's GPU time goes, kernel by kernel: every dispatch is put into a compute pass of its own
// with a timestamp before and after. That costs time itself, so it is a tool apart and measures no speed.

/** One kernel: the label of its pipeline, how often it ran and for how long. */
export interface KernelTime {
  kernel: string;
  dispatches: number;
  ms: number;
}

/** Dispatches that are timed; later ones of the same run are not. */
const CAPACITY = 2048;

interface Timer {
  device: GPUDevice;
  queries: GPUQuerySet;
  /** Kernels in the order of their dispatches. */
  kernels: string[];
}

const timers: Timer[] = [];
const encoders = new WeakMap<GPUCommandEncoder, Timer>();

/** Stands in for the pass that an engine began, and begins one for each of its dispatches. */
class SplitPass {
  #pipeline: GPUComputePipeline | undefined;
  #groups = new Map<number, unknown[]>();

  constructor(
    readonly begin: (descriptor?: GPUComputePassDescriptor) => GPUComputePassEncoder,
    readonly timer: Timer,
  ) {}

  setPipeline(pipeline: GPUComputePipeline): void {
    this.#pipeline = pipeline;
  }

  setBindGroup(...args: [number, ...unknown[]]): void {
    this.#groups.set(args[0], args);
  }

  dispatchWorkgroups(x: number, y?: number, z?: number): void {
    if (!this.#pipeline) return;
    const { queries, kernels } = this.timer;
    const at = kernels.length * 2;
    const timestampWrites = {
      querySet: queries,
      beginningOfPassWriteIndex: at,
      endOfPassWriteIndex: at + 1,
    };
    const timed = kernels.length < CAPACITY;
    const pass = this.begin(timed ? { timestampWrites } : undefined);
    if (timed) kernels.push(this.#pipeline.label || 'without label');
    pass.setPipeline(this.#pipeline);
    for (const args of this.#groups.values()) {
      (pass.setBindGroup as (...args: unknown[]) => void).apply(pass, args);
    }
    pass.dispatchWorkgroups(x, y, z);
    pass.end();
  }

  end(): void {
    this.#groups.clear();
  }
}

/** Begins to split passes. Must run before an engine is loaded. */
export function splitPasses(): void {
  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor = {}) {
    const requiredFeatures = [...(descriptor.requiredFeatures ?? []), 'timestamp-query' as GPUFeatureName];
    const device = await requestDevice.call(this, { ...descriptor, requiredFeatures });
    const queries = device.createQuerySet({ type: 'timestamp', count: CAPACITY * 2 });
    timers.push({ device, queries, kernels: [] });
    return device;
  };
  const createCommandEncoder = GPUDevice.prototype.createCommandEncoder;
  GPUDevice.prototype.createCommandEncoder = function (descriptor) {
    const encoder = createCommandEncoder.call(this, descriptor);
    const timer = timers.find(({ device }) => device === this);
    if (timer) encoders.set(encoder, timer);
    return encoder;
  };
  const beginComputePass = GPUCommandEncoder.prototype.beginComputePass;
  GPUCommandEncoder.prototype.beginComputePass = function (descriptor) {
    const timer = encoders.get(this);
    if (!timer) return beginComputePass.call(this, descriptor);
    const begin = (own?: GPUComputePassDescriptor) => beginComputePass.call(this, own);
    return new SplitPass(begin, timer) as unknown as GPUComputePassEncoder;
  };
}

/** The times since the last call, the most expensive kernel first. */
export async function takeTimes(): Promise<KernelTime[]> {
  const times = new Map<string, KernelTime>();
  for (const { device, queries, kernels } of timers) {
    if (!kernels.length) continue;
    const names = kernels.splice(0);
    const stamps = await resolve(device, queries, names.length * 2);
    names.forEach((kernel, i) => {
      const time = times.get(kernel) ?? { kernel, dispatches: 0, ms: 0 };
      time.dispatches++;
      time.ms += Number((stamps[2 * i + 1] ?? 0n) - (stamps[2 * i] ?? 0n)) / 1e6;
      times.set(kernel, time);
    });
  }
  return [...times.values()].sort((a, b) => b.ms - a.ms);
}

async function resolve(device: GPUDevice, queries: GPUQuerySet, count: number): Promise<BigUint64Array> {
  const size = count * 8;
  const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
  const resolved = device.createBuffer({ size, usage });
  const read = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  encoder.resolveQuerySet(queries, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, read, 0, size);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const stamps = new BigUint64Array(read.getMappedRange().slice(0));
  resolved.destroy();
  read.destroy();
  return stamps;
}
