// One thread draws one of the two offsets in 0..RANGE from step, seed and SALT. counters: step, seed.

@group(0) @binding(0) var<storage, read> counters: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

// PCG output function (Jarzynski & Olano 2020, "Hash functions for GPU rendering").
fn hash(value: u32) -> u32 {
    let state = value * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= 2u {
        return;
    }
    y[id.x] = hash(counters[0] ^ hash(counters[1] ^ hash(2u * SALT + id.x))) % RANGE;
}
