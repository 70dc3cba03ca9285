// One thread reads the element of one window that its switch points to; zero where a switch points out
// of the window or into the padding, which those of the same pooling never do.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> switches: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
    let tap = switches[i];
    let row = pixel / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y + tap / SIZE_X - PAD_TOP;
    let column = pixel % OUT_WIDTH * STRIDE_X + tap % SIZE_X - PAD_LEFT;
    let image = pixel / (OUT_WIDTH * OUT_HEIGHT);
    let inside = tap < SIZE_Y * SIZE_X && row < HEIGHT && column < WIDTH;
    let index = ((image * HEIGHT + row) * WIDTH + column) * CHANNELS + i % CHANNELS;
    y[i] = select(0.0, x[select(0u, index, inside)], inside);
}
