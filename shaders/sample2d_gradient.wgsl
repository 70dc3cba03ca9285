// One thread gathers one element of dx [IMAGES, HEIGHT, WIDTH, CHANNELS]: it looks through the pixels up to
// NEAR rows and columns away for those that were read within a pixel of its own place.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> positions: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * HEIGHT * WIDTH * CHANNELS {
        return;
    }
    let channel = i % CHANNELS;
    let column = i / CHANNELS % WIDTH;
    let row = i / (CHANNELS * WIDTH) % HEIGHT;
    let image = i / (HEIGHT * WIDTH * CHANNELS);
    let here = vec2<f32>(f32(row), f32(column));
    var sum = 0.0;
    for (var r = max(row, NEAR) - NEAR; r < min(row + NEAR + 1u, HEIGHT); r++) {
        for (var s = max(column, NEAR) - NEAR; s < min(column + NEAR + 1u, WIDTH); s++) {
            let pixel = (image * HEIGHT + r) * WIDTH + s;
            let away = abs(positions[pixel] - here);
            if away.x < 1.0 && away.y < 1.0 {
                sum += (1.0 - away.x) * (1.0 - away.y) * dy[pixel * CHANNELS + channel];
            }
        }
    }
    dx[i] = sum;
}
