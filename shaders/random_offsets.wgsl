// One thread draws one of the two offsets in 0..RANGE from step, seed and SALT. counters: step, seed.

@group(0) @binding(0) var<storage, read> counters: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

//:use random

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= 2u {
        return;
    }
    y[id.x] = bits_at(counters[0], counters[1], 2u * SALT + id.x) % RANGE;
}
