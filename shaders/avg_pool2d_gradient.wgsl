// One thread sums, for one element of the input, the gradients of the windows that cover it.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

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
    let image = pixel / (HEIGHT * WIDTH);
    var total = 0.0;
    for (var tap = 0u; tap < SIZE_Y * SIZE_X; tap++) {
        // Rows and columns below zero wrap to numbers far beyond the last.
        let row = pixel / WIDTH % HEIGHT + PAD_TOP - tap / SIZE_X;
        let column = pixel % WIDTH + PAD_LEFT - tap % SIZE_X;
        let oy = row / STRIDE_Y;
        let ox = column / STRIDE_X;
        if row % STRIDE_Y != 0u || column % STRIDE_X != 0u || oy >= OUT_HEIGHT || ox >= OUT_WIDTH {
            continue;
        }
        total += dy[((image * OUT_HEIGHT + oy) * OUT_WIDTH + ox) * CHANNELS + i % CHANNELS];
    }
    dx[i] = tail(i, i, total * (1.0 / f32(SIZE_Y * SIZE_X)));
}
