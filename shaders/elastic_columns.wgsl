// One thread smooths what elastic_rows gave along a column and scales it: element [image, row, column, axis]
// of [IMAGES, HEIGHT, WIDTH, 2]. strengths: alpha, sigma.

@group(0) @binding(0) var<storage, read> rows: array<f32>;
@group(0) @binding(1) var<storage, read> strengths: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * HEIGHT * WIDTH * 2u {
        return;
    }
    let pitch = WIDTH * 2u;
    let image = i / (HEIGHT * pitch);
    let first = (image * (HEIGHT + 2u * REACH) + i / pitch % HEIGHT) * pitch + i % pitch;
    let sigma = max(strengths[1], 0.1);
    let reach = min(i32(ceil(3.0 * sigma)), i32(REACH));
    var sum = 0.0;
    var weights = 0.0;
    for (var k = -reach; k <= reach; k++) {
        let weight = exp(-0.5 * f32(k * k) / (sigma * sigma));
        sum += weight * rows[first + u32(k + i32(REACH)) * pitch];
        weights += weight;
    }
    y[i] = strengths[0] * sum / weights;
}
