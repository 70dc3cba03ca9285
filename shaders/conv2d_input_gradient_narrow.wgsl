// One thread computes one element of the input's gradient; for groups of few input channels.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

const CI = GROUPS * INPUTS;
const CO = GROUPS * OUTPUTS;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * HEIGHT * WIDTH * CI {
        return;
    }
    let channel = i % CI;
    let pixel = i / CI;
    let image = pixel / (HEIGHT * WIDTH);
    let group = channel / INPUTS;
    var total = 0.0;
    for (var tap = 0u; tap < KERNEL_Y * KERNEL_X; tap++) {
        // Rows and columns below zero wrap to numbers far beyond the last.
        let row = pixel / WIDTH % HEIGHT + PAD_TOP - tap / KERNEL_X * DILATION_Y;
        let column = pixel % WIDTH + PAD_LEFT - tap % KERNEL_X * DILATION_X;
        let oy = row / STRIDE_Y;
        let ox = column / STRIDE_X;
        if row % STRIDE_Y != 0u || column % STRIDE_X != 0u || oy >= OUT_HEIGHT || ox >= OUT_WIDTH {
            continue;
        }
        let first = ((image * OUT_HEIGHT + oy) * OUT_WIDTH + ox) * CO + group * OUTPUTS;
        let filters = (tap * INPUTS + channel % INPUTS) * CO + group * OUTPUTS;
        for (var output = 0u; output < OUTPUTS; output++) {
            total += dy[first + output] * w[filters + output];
        }
    }
    dx[i] = total;
}
