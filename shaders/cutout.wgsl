// One thread copies one element of x [IMAGES, HEIGHT, WIDTH, CHANNELS], or its channel's fill where the square
// drawn for its image covers it. strengths: side. counters: step, seed.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> strengths: array<f32>;
@group(0) @binding(2) var<storage, read> counters: array<u32>;
@group(0) @binding(3) var<storage, read> fill: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

//:use random

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * HEIGHT * WIDTH * CHANNELS {
        return;
    }
    let image = i / (HEIGHT * WIDTH * CHANNELS);
    let side = floor(strengths[0]);
    let size = vec2<f32>(f32(HEIGHT), f32(WIDTH));
    let center = floor(size * vec2<f32>(uniform_at(counters[0], counters[1], SALT, image * 2u), uniform_at(counters[0], counters[1], SALT, image * 2u + 1u)));
    let first = center - floor(0.5 * side);
    let at = vec2<f32>(f32(i / (WIDTH * CHANNELS) % HEIGHT), f32(i / CHANNELS % WIDTH));
    let covered = all(at >= first) && all(at < first + side);
    y[i] = select(x[i], fill[i % CHANNELS], covered);
}
