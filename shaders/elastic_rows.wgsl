// One thread smooths random numbers in -1..1 along a row: element [image, row, column, axis] of
// [IMAGES, HEIGHT + 2 REACH, WIDTH, 2], the mean of its neighbors with Gaussian weights. strengths: unused,
// sigma. counters: step, seed.

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
    if i >= IMAGES * (HEIGHT + 2u * REACH) * WIDTH * 2u {
        return;
    }
    let line = i / (2u * WIDTH);
    let first = (line * (WIDTH + 2u * REACH) + i / 2u % WIDTH) * 2u + i % 2u;
    let sigma = max(strengths[1], 0.1);
    let reach = min(i32(ceil(3.0 * sigma)), i32(REACH));
    var sum = 0.0;
    var weights = 0.0;
    for (var k = -reach; k <= reach; k++) {
        let weight = exp(-0.5 * f32(k * k) / (sigma * sigma));
        let noise = 2.0 * uniform_at(counters[0], counters[1], SALT, first + 2u * u32(k + i32(REACH))) - 1.0;
        sum += weight * noise;
        weights += weight;
    }
    y[i] = sum / weights;
}
