// One thread draws the color changes of one image of x [IMAGES, PIXELS, CHANNELS]: factors of brightness,
// contrast and saturation, and the mean gray once its brightness has changed. strengths: the largest change of
// each. counters: step, seed.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> strengths: array<f32>;
@group(0) @binding(2) var<storage, read> counters: array<u32>;
@group(0) @binding(3) var<storage, read_write> draws: array<vec4<f32>>;

//:use random

// To 0..1; what is not a number becomes 0.
fn limited(x: f32) -> f32 {
    return select(0.0, min(x, 1.0), x > 0.0);
}

// Luma of ITU-R BT.601 for three channels, the mean for any other number.
fn gray(first: u32, factor: f32) -> f32 {
    var sum = 0.0;
    for (var c = 0u; c < CHANNELS; c++) {
        var weight = 1.0 / f32(CHANNELS);
        if CHANNELS == 3u {
            weight = select(select(0.114, 0.587, c == 1u), 0.299, c == 0u);
        }
        sum += weight * limited(factor * x[first + c]);
    }
    return sum;
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES {
        return;
    }
    let brightness = 1.0 + strengths[0] * (2.0 * uniform_at(counters[0], counters[1], SALT, i * 4u) - 1.0);
    let contrast = 1.0 + strengths[1] * (2.0 * uniform_at(counters[0], counters[1], SALT, i * 4u + 1u) - 1.0);
    let saturation = 1.0 + strengths[2] * (2.0 * uniform_at(counters[0], counters[1], SALT, i * 4u + 2u) - 1.0);
    var sum = 0.0;
    for (var pixel = 0u; pixel < PIXELS; pixel++) {
        sum += gray((i * PIXELS + pixel) * CHANNELS, brightness);
    }
    draws[i] = vec4<f32>(brightness, contrast, saturation, sum / f32(PIXELS));
}
