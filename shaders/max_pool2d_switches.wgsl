// One thread finds the maximum of one window in one channel. NaN is told by its bits, because shader
// compilers may assume that it does not occur.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> switches: array<u32>;

fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
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
    let top = pixel / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y - PAD_TOP;
    let left = pixel % OUT_WIDTH * STRIDE_X - PAD_LEFT;
    let image = pixel / (OUT_WIDTH * OUT_HEIGHT);
    var best = 0.0;
    var found = SIZE_Y * SIZE_X;
    for (var tap = 0u; tap < SIZE_Y * SIZE_X; tap++) {
        let row = top + tap / SIZE_X;
        let column = left + tap % SIZE_X;
        if row >= HEIGHT || column >= WIDTH {
            continue;
        }
        let value = x[((image * HEIGHT + row) * WIDTH + column) * CHANNELS + i % CHANNELS];
        if found == SIZE_Y * SIZE_X || (!is_nan(best) && (value > best || is_nan(value))) {
            best = value;
            found = tap;
        }
    }
    switches[i] = found;
}
