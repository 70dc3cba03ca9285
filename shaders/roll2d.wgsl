// One thread writes one element of the shifted images. INVERSE: shift up and left instead of down and
// right.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn source(at: u32, offset: u32, extent: u32) -> u32 {
    let shift = offset % extent;
    return (at + select(extent - shift, shift, INVERSE == 1u)) % extent;
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
    let pixel = i / CHANNELS;
    let row = source(pixel / WIDTH % HEIGHT, offsets[0], HEIGHT);
    let column = source(pixel % WIDTH, offsets[1], WIDTH);
    let image = pixel / (WIDTH * HEIGHT);
    y[i] = x[((image * HEIGHT + row) * WIDTH + column) * CHANNELS + i % CHANNELS];
}
