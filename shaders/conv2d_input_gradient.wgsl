// One thread computes 4 input pixels (neighbors in the flattened batch) times 8 input channels of one
// group, gathering the output pixels whose windows cover them. Lanes past the last pixel or channel
// repeat it and are not stored.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

const PIXELS = IMAGES * HEIGHT * WIDTH;
const BLOCKS = (INPUTS + 7u) / 8u;
const CI = GROUPS * INPUTS;
const CO = GROUPS * OUTPUTS;
const OUTSIDE = 0xffffffffu;

// Image, padded row and padded column of an input pixel.
fn place(pixel: u32) -> vec3<u32> {
    let p = min(pixel, PIXELS - 1u);
    return vec3(p / (HEIGHT * WIDTH), p / WIDTH % HEIGHT + PAD_TOP, p % WIDTH + PAD_LEFT);
}

// Index of the first channel of the output pixel whose window begins at this row and column, or
// OUTSIDE. Rows and columns below zero have wrapped to numbers far beyond the last.
fn locate(at: vec3<u32>) -> u32 {
    let row = at.y / STRIDE_Y;
    let column = at.z / STRIDE_X;
    let aligned = at.y % STRIDE_Y == 0u && at.z % STRIDE_X == 0u;
    let inside = aligned && row < OUT_HEIGHT && column < OUT_WIDTH;
    return select(OUTSIDE, ((at.x * OUT_HEIGHT + row) * OUT_WIDTH + column) * CO, inside);
}

fn load(first: u32, channel: u32) -> f32 {
    let inside = first != OUTSIDE;
    return select(0.0, dy[select(0u, first, inside) + channel], inside);
}

fn put(pixel: u32, group: u32, channel: u32, value: f32) {
    if pixel < PIXELS && channel < INPUTS {
        dx[pixel * CI + group * INPUTS + channel] = value;
    }
}

fn put4(pixel: u32, group: u32, channel: u32, value: vec4<f32>) {
    put(pixel, group, channel, value.x);
    put(pixel, group, channel + 1u, value.y);
    put(pixel, group, channel + 2u, value.z);
    put(pixel, group, channel + 3u, value.w);
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= (PIXELS + 3u) / 4u * GROUPS * BLOCKS {
        return;
    }
    let channel = i % BLOCKS * 8u;
    let group = i / BLOCKS % GROUPS;
    let pixel = i / (BLOCKS * GROUPS) * 4u;
    let place0 = place(pixel);
    let place1 = place(pixel + 1u);
    let place2 = place(pixel + 2u);
    let place3 = place(pixel + 3u);
    // Rows of the filter bank seen as [taps * INPUTS, CO].
    let rows0 = min(vec4(channel) + vec4(0u, 1u, 2u, 3u), vec4(INPUTS - 1u)) * CO;
    let rows1 = min(vec4(channel) + vec4(4u, 5u, 6u, 7u), vec4(INPUTS - 1u)) * CO;
    var g00 = vec4(0.0);
    var g01 = vec4(0.0);
    var g10 = vec4(0.0);
    var g11 = vec4(0.0);
    var g20 = vec4(0.0);
    var g21 = vec4(0.0);
    var g30 = vec4(0.0);
    var g31 = vec4(0.0);
    for (var tap = 0u; tap < KERNEL_Y * KERNEL_X; tap++) {
        let step = vec3(0u, tap / KERNEL_X * DILATION_Y, tap % KERNEL_X * DILATION_X);
        let first0 = locate(place0 - step);
        let first1 = locate(place1 - step);
        let first2 = locate(place2 - step);
        let first3 = locate(place3 - step);
        if min(min(first0, first1), min(first2, first3)) == OUTSIDE {
            continue;
        }
        for (var output = 0u; output < OUTPUTS; output++) {
            let c = group * OUTPUTS + output;
            let k = vec4(tap * INPUTS * CO + c);
            let i0 = k + rows0;
            let i1 = k + rows1;
            let w0 = vec4(w[i0.x], w[i0.y], w[i0.z], w[i0.w]);
            let w1 = vec4(w[i1.x], w[i1.y], w[i1.z], w[i1.w]);
            let d0 = load(first0, c);
            let d1 = load(first1, c);
            let d2 = load(first2, c);
            let d3 = load(first3, c);
            g00 += d0 * w0;
            g01 += d0 * w1;
            g10 += d1 * w0;
            g11 += d1 * w1;
            g20 += d2 * w0;
            g21 += d2 * w1;
            g30 += d3 * w0;
            g31 += d3 * w1;
        }
    }
    put4(pixel, group, channel, g00);
    put4(pixel, group, channel + 4u, g01);
    put4(pixel + 1u, group, channel, g10);
    put4(pixel + 1u, group, channel + 4u, g11);
    put4(pixel + 2u, group, channel, g20);
    put4(pixel + 2u, group, channel + 4u, g21);
    put4(pixel + 3u, group, channel, g30);
    put4(pixel + 3u, group, channel + 4u, g31);
}
