// One thread computes one weight's gradient over one chunk of output rows; for groups of few output
// channels (depthwise convolution).

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;

const CI = GROUPS * INPUTS;
const CO = GROUPS * OUTPUTS;
const WEIGHTS = KERNEL_Y * KERNEL_X * INPUTS * CO;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= CHUNKS * WEIGHTS {
        return;
    }
    let channel = i % CO;
    let input = channel / OUTPUTS * INPUTS + i / CO % INPUTS;
    let tap = i % WEIGHTS / (CO * INPUTS);
    let top = tap / KERNEL_X * DILATION_Y - PAD_TOP;
    let left = tap % KERNEL_X * DILATION_X - PAD_LEFT;
    var total = 0.0;
    let first = i / WEIGHTS * CHUNK_ROWS;
    let end = min(first + CHUNK_ROWS, IMAGES * OUT_HEIGHT);
    for (var row = first; row < end; row++) {
        let iy = row % OUT_HEIGHT * STRIDE_Y + top;
        if iy >= HEIGHT {
            continue;
        }
        let line = (row / OUT_HEIGHT * HEIGHT + iy) * WIDTH;
        for (var ox = 0u; ox < OUT_WIDTH; ox++) {
            let ix = ox * STRIDE_X + left;
            if ix < WIDTH {
                total += x[(line + ix) * CI + input] * dy[(row * OUT_WIDTH + ox) * CO + channel];
            }
        }
    }
    dw[i] = total;
}
