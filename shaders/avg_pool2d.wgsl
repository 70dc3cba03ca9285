// One thread averages one window in one channel; the padding counts as zeros.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

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
    let top = pixel / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y - PAD_TOP;
    let left = pixel % OUT_WIDTH * STRIDE_X - PAD_LEFT;
    let image = pixel / (OUT_WIDTH * OUT_HEIGHT);
    var total = 0.0;
    for (var tap = 0u; tap < SIZE_Y * SIZE_X; tap++) {
        let row = top + tap / SIZE_X;
        let column = left + tap % SIZE_X;
        if row < HEIGHT && column < WIDTH {
            total += x[((image * HEIGHT + row) * WIDTH + column) * CHANNELS + i % CHANNELS];
        }
    }
    y[i] = tail(i, i, total * (1.0 / f32(SIZE_Y * SIZE_X)));
}
