// One thread computes one output element; for groups of few output channels (depthwise convolution).

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const CI = GROUPS * INPUTS;
const CO = GROUPS * OUTPUTS;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * OUT_HEIGHT * OUT_WIDTH * CO {
        return;
    }
    let channel = i % CO;
    let pixel = i / CO;
    let top = pixel / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y - PAD_TOP;
    let left = pixel % OUT_WIDTH * STRIDE_X - PAD_LEFT;
    let image = pixel / (OUT_HEIGHT * OUT_WIDTH);
    let group = channel / OUTPUTS;
    var total = 0.0;
    for (var tap = 0u; tap < KERNEL_Y * KERNEL_X; tap++) {
        let row = top + tap / KERNEL_X * DILATION_Y;
        let column = left + tap % KERNEL_X * DILATION_X;
        if row >= HEIGHT || column >= WIDTH {
            continue;
        }
        let first = ((image * HEIGHT + row) * WIDTH + column) * CI + group * INPUTS;
        for (var input = 0u; input < INPUTS; input++) {
            total += x[first + input] * w[(tap * INPUTS + input) * CO + channel];
        }
    }
    y[i] = total;
}
