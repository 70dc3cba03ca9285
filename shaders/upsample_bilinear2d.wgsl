// One thread interpolates one element of y [IMAGES, FACTOR HEIGHT, FACTOR WIDTH, CHANNELS] between four
// pixels of x [IMAGES, HEIGHT, WIDTH, CHANNELS].

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

const OUT_HEIGHT: u32 = FACTOR * HEIGHT;
const OUT_WIDTH: u32 = FACTOR * WIDTH;

// Position of large pixel i in small ones, in units of 1 / (2 FACTOR), at least 0.
fn position(i: u32) -> u32 {
    return max(2u * i + 1u, FACTOR) - FACTOR;
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * OUT_HEIGHT * OUT_WIDTH * CHANNELS {
        return;
    }
    let pixel = i / CHANNELS;
    let image = pixel / (OUT_WIDTH * OUT_HEIGHT) * HEIGHT;
    let row = position(pixel / OUT_WIDTH % OUT_HEIGHT);
    let column = position(pixel % OUT_WIDTH);
    let top = min(row / (2u * FACTOR), HEIGHT - 1u);
    let left = min(column / (2u * FACTOR), WIDTH - 1u);
    let bottom = min(top + 1u, HEIGHT - 1u);
    let right = min(left + 1u, WIDTH - 1u);
    let down = f32(row % (2u * FACTOR)) / f32(2u * FACTOR);
    let across = f32(column % (2u * FACTOR)) / f32(2u * FACTOR);
    let channel = i % CHANNELS;
    let a = x[((image + top) * WIDTH + left) * CHANNELS + channel];
    let b = x[((image + top) * WIDTH + right) * CHANNELS + channel];
    let c = x[((image + bottom) * WIDTH + left) * CHANNELS + channel];
    let d = x[((image + bottom) * WIDTH + right) * CHANNELS + channel];
    let upper = (1.0 - down) * ((1.0 - across) * a + across * b);
    y[i] = tail(i, i, upper + down * ((1.0 - across) * c + across * d));
}
