// One thread says whether the steps done leave the first IDLE of PERIOD behind.

@group(0) @binding(0) var<storage, read> counters: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x > 0u {
        return;
    }
    y[0] = select(0.0, 1.0, counters[0] % PERIOD >= IDLE);
}
