// Operands of gemm.wgsl for the input's gradient. Layers are the phases of each group: input pixels as far apart as
// windows, which the same taps reach, so that no tap is tried in vain. Rows are those pixels of the batch, terms are those
// taps and output channels, columns are input channels.

const PHASES = STRIDE_Y * STRIDE_X;
const PHASE_HEIGHT = (HEIGHT + STRIDE_Y - 1u) / STRIDE_Y;
const PHASE_WIDTH = (WIDTH + STRIDE_X - 1u) / STRIDE_X;
const A_HEIGHT = OUT_HEIGHT;
const A_WIDTH = OUT_WIDTH;
// How far above and left of a pixel the farthest tap's window begins.
const A_TOP = (KERNEL_Y - 1u) / STRIDE_Y * DILATION_Y;
const A_LEFT = (KERNEL_X - 1u) / STRIDE_X * DILATION_X;
const CI = GROUPS * INPUTS;
const CO = GROUPS * OUTPUTS;

// The phase's first pixel in padded rows and columns.
fn phase_of(layer: u32) -> vec2<u32> {
    return vec2(layer % PHASES / STRIDE_X + PAD_TOP, layer % STRIDE_X + PAD_LEFT);
}

// How many taps reach a phase, of those that begin with `first`.
fn taps(kernel: u32, first: u32, stride: u32) -> u32 {
    return (kernel + stride - 1u - first) / stride;
}

// Row and column of an input pixel.
fn pixel_of(m: u32, layer: u32) -> vec2<u32> {
    let phase = phase_of(layer) - vec2(PAD_TOP, PAD_LEFT);
    return vec2(m / PHASE_WIDTH % PHASE_HEIGHT, m % PHASE_WIDTH) * vec2(STRIDE_Y, STRIDE_X) + phase;
}

fn exists(m: u32, layer: u32) -> bool {
    let pixel = pixel_of(m, layer);
    return m < ROWS && pixel.x < HEIGHT && pixel.y < WIDTH;
}

fn row_of(m: u32, layer: u32) -> vec2<u32> {
    let phase = phase_of(layer) / vec2(STRIDE_Y, STRIDE_X);
    let row = m / PHASE_WIDTH % PHASE_HEIGHT + phase.x;
    let column = m % PHASE_WIDTH + phase.y;
    let image = m / (PHASE_HEIGHT * PHASE_WIDTH);
    let index = ((image * OUT_HEIGHT + row) * OUT_WIDTH + column) * CO + layer / PHASES * OUTPUTS;
    return vec2(index - (A_TOP * OUT_WIDTH + A_LEFT) * CO, (row << 16u) + column);
}

// Row and column of a tap, counted from the phase's first.
fn tap_of(k: u32, layer: u32) -> vec2<u32> {
    let across = taps(KERNEL_X, phase_of(layer).y % STRIDE_X, STRIDE_X);
    return vec2(k / OUTPUTS / across, k / OUTPUTS % across);
}

fn term_of(k: u32, layer: u32) -> vec2<u32> {
    let back = vec2(A_TOP, A_LEFT) - tap_of(k, layer) * vec2(DILATION_Y, DILATION_X);
    let index = (back.x * OUT_WIDTH + back.y) * CO + k % OUTPUTS;
    return vec2(index, (back.x << 16u) + back.y);
}

fn b_at(k: u32, n: u32, layer: u32) -> f32 {
    let stride = vec2(STRIDE_Y, STRIDE_X);
    let tap = tap_of(k, layer) * stride + phase_of(layer) % stride;
    let channel = layer / PHASES * OUTPUTS + k % OUTPUTS;
    return b[((tap.x * KERNEL_X + tap.y) * INPUTS + n) * CO + channel];
}

fn span_of(layer: u32) -> vec2<u32> {
    let first = phase_of(layer) % vec2(STRIDE_Y, STRIDE_X);
    let down = taps(KERNEL_Y, first.x, STRIDE_Y);
    return vec2(0u, down * taps(KERNEL_X, first.y, STRIDE_X) * OUTPUTS);
}

fn place_of(m: u32, n: u32, layer: u32) -> u32 {
    let pixel = pixel_of(m, layer);
    let image = m / (PHASE_HEIGHT * PHASE_WIDTH);
    return ((image * HEIGHT + pixel.x) * WIDTH + pixel.y) * CI + layer / PHASES * INPUTS + n;
}
