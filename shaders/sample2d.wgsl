// One thread reads one element of an image [IMAGES, HEIGHT, WIDTH, CHANNELS] at a row and column between its
// pixels, bilinearly; outside of the image is 0.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> positions: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn pixel(image: u32, row: f32, column: f32, channel: u32) -> f32 {
    if row < 0.0 || row >= f32(HEIGHT) || column < 0.0 || column >= f32(WIDTH) {
        return 0.0;
    }
    return x[((image * HEIGHT + u32(row)) * WIDTH + u32(column)) * CHANNELS + channel];
}

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
    let image = i / (HEIGHT * WIDTH * CHANNELS);
    let at = positions[i / CHANNELS];
    let low = floor(at);
    let part = at - low;
    let top = mix(pixel(image, low.x, low.y, channel), pixel(image, low.x, low.y + 1.0, channel), part.y);
    let below = mix(
        pixel(image, low.x + 1.0, low.y, channel),
        pixel(image, low.x + 1.0, low.y + 1.0, channel),
        part.y,
    );
    y[i] = mix(top, below, part.x);
}
