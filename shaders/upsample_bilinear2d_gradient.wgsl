// One thread sums, for one element of dx [IMAGES, HEIGHT, WIDTH, CHANNELS], what the large pixels around it in
// dy [IMAGES, FACTOR HEIGHT, FACTOR WIDTH, CHANNELS] took of it.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

// The weight of small pixel k, of size, in large pixel i.
fn weight(i: u32, k: u32, size: u32) -> f32 {
    // In units of 1 / (2 FACTOR), at least 0.
    let position = max(2u * i + 1u, FACTOR) - FACTOR;
    let first = min(position / (2u * FACTOR), size - 1u);
    let second = min(first + 1u, size - 1u);
    let share = f32(position % (2u * FACTOR)) / f32(2u * FACTOR);
    return select(0.0, 1.0 - share, first == k) + select(0.0, share, second == k);
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
    let image = pixel / (HEIGHT * WIDTH) * FACTOR * HEIGHT;
    let row = pixel / WIDTH % HEIGHT;
    let column = pixel % WIDTH;
    let top = max(row, 1u) - 1u;
    let left = max(column, 1u) - 1u;
    let bottom = min(row + 2u, HEIGHT);
    let right = min(column + 2u, WIDTH);
    var total = 0.0;
    for (var r = FACTOR * top; r < FACTOR * bottom; r++) {
        var line = 0.0;
        for (var c = FACTOR * left; c < FACTOR * right; c++) {
            let at = ((image + r) * FACTOR * WIDTH + c) * CHANNELS + i % CHANNELS;
            line += weight(c, column, WIDTH) * dy[at];
        }
        total += weight(r, row, HEIGHT) * line;
    }
    dx[i] = tail(i, i, total);
}
