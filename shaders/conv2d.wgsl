// One thread computes 4 output pixels (neighbors in the flattened batch) times 8 output channels of
// one group. Neighboring threads take neighboring channels of the same pixels, so that they share
// the input. Lanes past the last pixel or channel repeat it and are not stored.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const PIXELS = IMAGES * OUT_HEIGHT * OUT_WIDTH;
const BLOCKS = (OUTPUTS + 7u) / 8u;
const CI = GROUPS * INPUTS;
const CO = GROUPS * OUTPUTS;
const OUTSIDE = 0xffffffffu;

// Image, row and column of the window's first tap; rows and columns wrap below zero.
fn corner(pixel: u32) -> vec3<u32> {
    let p = min(pixel, PIXELS - 1u);
    let row = p / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y - PAD_TOP;
    return vec3(p / (OUT_HEIGHT * OUT_WIDTH), row, p % OUT_WIDTH * STRIDE_X - PAD_LEFT);
}

// Index of the pixel's first channel, or OUTSIDE.
fn locate(at: vec3<u32>) -> u32 {
    let inside = at.y < HEIGHT && at.z < WIDTH;
    return select(OUTSIDE, ((at.x * HEIGHT + at.y) * WIDTH + at.z) * CI, inside);
}

fn load(first: u32, channel: u32) -> f32 {
    let inside = first != OUTSIDE;
    return select(0.0, x[select(0u, first, inside) + channel], inside);
}

fn put(pixel: u32, group: u32, channel: u32, value: f32) {
    if pixel < PIXELS && channel < OUTPUTS {
        y[pixel * CO + group * OUTPUTS + channel] = value;
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
    let corner0 = corner(pixel);
    let corner1 = corner(pixel + 1u);
    let corner2 = corner(pixel + 2u);
    let corner3 = corner(pixel + 3u);
    let channels0 = group * OUTPUTS + min(vec4(channel) + vec4(0u, 1u, 2u, 3u), vec4(OUTPUTS - 1u));
    let channels1 = group * OUTPUTS + min(vec4(channel) + vec4(4u, 5u, 6u, 7u), vec4(OUTPUTS - 1u));
    var y00 = vec4(0.0);
    var y01 = vec4(0.0);
    var y10 = vec4(0.0);
    var y11 = vec4(0.0);
    var y20 = vec4(0.0);
    var y21 = vec4(0.0);
    var y30 = vec4(0.0);
    var y31 = vec4(0.0);
    for (var tap = 0u; tap < KERNEL_Y * KERNEL_X; tap++) {
        let step = vec3(0u, tap / KERNEL_X * DILATION_Y, tap % KERNEL_X * DILATION_X);
        let first0 = locate(corner0 + step);
        let first1 = locate(corner1 + step);
        let first2 = locate(corner2 + step);
        let first3 = locate(corner3 + step);
        for (var input = 0u; input < INPUTS; input++) {
            let k = vec4((tap * INPUTS + input) * CO);
            let o0 = k + channels0;
            let o1 = k + channels1;
            let w0 = vec4(w[o0.x], w[o0.y], w[o0.z], w[o0.w]);
            let w1 = vec4(w[o1.x], w[o1.y], w[o1.z], w[o1.w]);
            let c = group * INPUTS + input;
            let x0 = load(first0, c);
            let x1 = load(first1, c);
            let x2 = load(first2, c);
            let x3 = load(first3, c);
            y00 += x0 * w0;
            y01 += x0 * w1;
            y10 += x1 * w0;
            y11 += x1 * w1;
            y20 += x2 * w0;
            y21 += x2 * w1;
            y30 += x3 * w0;
            y31 += x3 * w1;
        }
    }
    put4(pixel, group, channel, y00);
    put4(pixel, group, channel + 4u, y01);
    put4(pixel + 1u, group, channel, y10);
    put4(pixel + 1u, group, channel + 4u, y11);
    put4(pixel + 2u, group, channel, y20);
    put4(pixel + 2u, group, channel + 4u, y21);
    put4(pixel + 3u, group, channel, y30);
    put4(pixel + 3u, group, channel + 4u, y31);
}
