// Where an input element lies under a window's tap: its index, and its padded row and column in one word, are sums
// of what the output pixel and the tap say.

const A_TOP = PAD_TOP;
const A_LEFT = PAD_LEFT;
const A_HEIGHT = HEIGHT;
const A_WIDTH = WIDTH;
const CI = GROUPS * INPUTS;
const CO = GROUPS * OUTPUTS;

fn pixel_of(pixel: u32) -> vec2<u32> {
    let row = pixel / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y;
    let column = pixel % OUT_WIDTH * STRIDE_X;
    let image = pixel / (OUT_HEIGHT * OUT_WIDTH);
    let index = ((image * HEIGHT + row) * WIDTH + column) * CI;
    return vec2(index - (PAD_TOP * WIDTH + PAD_LEFT) * CI, (row << 16u) + column);
}

// `tap` counts taps and input channels.
fn tap_of(tap: u32, group: u32) -> vec2<u32> {
    let row = tap / INPUTS / KERNEL_X * DILATION_Y;
    let column = tap / INPUTS % KERNEL_X * DILATION_X;
    let index = (row * WIDTH + column) * CI + group * INPUTS + tap % INPUTS;
    return vec2(index, (row << 16u) + column);
}
