// One thread writes the share of its own image into one of ROWS numbers, the same for all of a step: the larger
// of x and 1 - x for x from Beta(alpha, alpha), by Johnk's rejection (1964), which takes two draws on average or
// fewer. strengths: alpha. counters: step, seed.

@group(0) @binding(0) var<storage, read> strengths: array<f32>;
@group(0) @binding(1) var<storage, read> counters: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

//:use random

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
        let a = exp(log(uniform_at(counters[0], counters[1], SALT, draw * 2u)) / strengths[0]);
        let b = exp(log(uniform_at(counters[0], counters[1], SALT, draw * 2u + 1u)) / strengths[0]);
        if a + b <= 1.0 && a + b > 0.0 {
            share = max(a, b) / (a + b);
            break;
        }
    }
    y[i] = share;
}
