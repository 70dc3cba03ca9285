// One thread decides one element from step, seed, STREAM and its index: kept and scaled where 24 random bits
// are below THRESHOLD, 0 elsewhere. counters: step, seed. SCALE_BITS is the scale's f32 bit pattern.

@group(0) @binding(0) var<storage, read> counters: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

//:use random

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let key = bits_at(counters[0], counters[1], STREAM);
    let kept = (hash(hash(i) ^ key) >> 8u) < THRESHOLD;
    y[i] = select(0.0, bitcast<f32>(SCALE_BITS), kept);
}
