// What the WebGPU adapter can do at best, for shares of it: the fastest of several kernels of fused
// multiply-adds, and of several copies. One lazy probe would overstate every share four times over.

export interface Roofs {
  adapter: string;
  /** GFLOP/s of the best multiply-add kernel, and which one it was. */
  flops: number;
  flopsBy: string;
  /** GB/s read plus written by the best copy, and which one it was. */
  bytes: number;
  bytesBy: string;
}

/** The higher of two measurements: other work on the machine only ever lowers them. */
export const higher = (a: Roofs, b: Roofs): Roofs => ({
  ...a,
  ...(b.flops > a.flops && { flops: b.flops, flopsBy: b.flopsBy }),
  ...(b.bytes > a.bytes && { bytes: b.bytes, bytesBy: b.bytesBy }),
});

interface Probe {
  name: string;
  code: string;
  workgroups: number;
  /** Operations or bytes of one dispatch. */
  amount: number;
}

const THREADS = 64;
const REPEATS = 3;

export async function measureRoofs(): Promise<Roofs> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error('expected a WebGPU adapter, found none');
  const device = await adapter.requestDevice();
  const best = async (probes: Probe[]) => {
    let [rate, by] = [0, 'none'];
    for (const probe of probes) {
      const found = await measure(device, probe);
      if (found > rate) [rate, by] = [found, probe.name];
    }
    return { rate: rate / 1e9, by };
  };
  const flops = await best(multiplyAdds());
  const bytes = await best(copies());
  device.destroy();
  return {
    adapter: `${adapter.info.vendor}/${adapter.info.architecture}`,
    flops: flops.rate,
    flopsBy: flops.by,
    bytes: bytes.rate,
    bytesBy: bytes.by,
  };
}

/** Chains of vec4 multiply-adds, each unrolled inside the loop; how many hide the latency is the adapter's. */
function multiplyAdds(): Probe[] {
  const loops = 2000;
  const workgroups = 64;
  const forms = [
    { form: 'fma', of: (a: string) => `fma(${a}, m, k)` },
    { form: 'a*m+k', of: (a: string) => `${a} * m + k` },
  ];
  const variants = forms.flatMap((form) =>
    [2, 3, 4].flatMap((chains) => [5, 10].map((unroll) => ({ ...form, chains, unroll }))),
  );
  return variants.map(({ form, of, chains, unroll }) => {
    const all = Array.from({ length: chains }, (_, i) => `a${i}`);
    const start = all.map((a, i) => `var ${a} = vec4f(f32(id.x) * 1e-3 + ${i}.5);`).join(' ');
    const body = Array.from({ length: unroll }, () => all.map((a) => `${a} = ${of(a)};`).join(' '));
    return {
      name: `${form}, ${chains} chains x ${unroll}`,
      code: `@group(0) @binding(0) var<storage, read> x: array<vec4f>;
          @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
          @compute @workgroup_size(${THREADS})
          fn main(@builtin(global_invocation_id) id: vec3u) {
            let m = x[0] * 1e-9 + vec4f(0.999); let k = x[1] * 1e-9 + vec4f(0.001); ${start}
            for (var i = 0u; i < ${loops}u; i++) { ${body.join('\n')} }
            y[id.x] = ${all.join(' + ')};
          }`,
      workgroups,
      amount: workgroups * THREADS * loops * unroll * chains * 4 * 2,
    };
  });
}

const VECTORS = 2 ** 21;

/** 32 MiB from one buffer to another, in vec4s: one or several per thread, neighbors or far apart. */
function copies(): Probe[] {
  return [1, 4, 16].flatMap((each) =>
    (each === 1 ? ['near'] : ['near', 'far']).map((order) => {
      const threads = VECTORS / each;
      const at = order === 'near' ? `id.x * ${each}u + j` : `id.x + j * ${threads}u`;
      return {
        name: `${each} vec4 a thread, ${order}`,
        code: `@group(0) @binding(0) var<storage, read> x: array<vec4f>;
          @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
          @compute @workgroup_size(${THREADS})
          fn main(@builtin(global_invocation_id) id: vec3u) {
            for (var j = 0u; j < ${each}u; j++) { let i = ${at}; y[i] = x[i]; }
          }`,
        workgroups: threads / THREADS,
        amount: VECTORS * 16 * 2,
      };
    }),
  );
}

/** Amount per second, the best of a few runs after one to warm up. */
async function measure(device: GPUDevice, { code, workgroups, amount }: Probe): Promise<number> {
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const buffers = [0, 1].map(() =>
    device.createBuffer({ size: VECTORS * 16, usage: GPUBufferUsage.STORAGE }),
  );
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  let best = Infinity;
  for (let run = 0; run <= REPEATS; run++) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(workgroups);
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    if (run > 0) best = Math.min(best, performance.now() - start);
  }
  for (const buffer of buffers) buffer.destroy();
  return (amount * 1000) / best;
}
