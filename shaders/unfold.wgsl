// One thread copies one element of y [IMAGES, OUT_HEIGHT, OUT_WIDTH, SIZE_Y, SIZE_X, CHANNELS]: the pixel under
// one tap of one window, 0 in the padding.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * OUT_HEIGHT * OUT_WIDTH * SIZE_Y * SIZE_X * CHANNELS {
        return;
    }
    let tap = i / CHANNELS % (SIZE_Y * SIZE_X);
    let pixel = i / (CHANNELS * SIZE_Y * SIZE_X);
    let image = pixel / (OUT_WIDTH * OUT_HEIGHT);
    // Rows and columns in the padding before wrap to numbers far beyond the last.
    let row = pixel / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y + tap / SIZE_X - PAD_TOP;
    let column = pixel % OUT_WIDTH * STRIDE_X + tap % SIZE_X - PAD_LEFT;
    var value = 0.0;
    if row < HEIGHT && column < WIDTH {
        value = x[((image * HEIGHT + row) * WIDTH + column) * CHANNELS + i % CHANNELS];
    }
    y[i] = value;
}
