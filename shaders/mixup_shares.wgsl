// One thread writes the share of its own image into one of ROWS numbers, the same for all of a step: the larger
// of x and 1 - x for x from Beta(alpha, alpha), by Johnk's rejection (1964), which takes two draws on average or
// fewer. strengths: alpha. counters: step, seed.

@group(0) @binding(0) var<storage, read> strengths: array<f32>;
@group(0) @binding(1) var<storage, read> counters: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// PCG output function (Jarzynski & Olano 2020, "Hash functions for GPU rendering").
fn hash(value: u32) -> u32 {
    let state = value * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// Uniform in 0..1, both excluded, for this step, seed and index.
fn uniform_at(index: u32) -> f32 {
    let bits = hash(counters[0] ^ hash(counters[1] ^ hash(index + SALT * 2654435769u)));
    return (f32(bits >> 9u) + 0.5) / 8388608.0;
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ROWS {
        return;
    }
    var share = 1.0;
    for (var draw = 0u; draw < 32u; draw++) {
        let a = exp(log(uniform_at(draw * 2u)) / strengths[0]);
        let b = exp(log(uniform_at(draw * 2u + 1u)) / strengths[0]);
        if a + b <= 1.0 && a + b > 0.0 {
            share = max(a, b) / (a + b);
            break;
        }
    }
    y[i] = share;
}
