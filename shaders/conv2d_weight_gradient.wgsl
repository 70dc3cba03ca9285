// One thread computes, over one chunk of output rows, 4 rows (taps and input channels) times 8 output
// channels of one group's filter gradient. Lanes past the last row or channel repeat it and are not
// stored.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;

const TAPS = KERNEL_Y * KERNEL_X * INPUTS;
const ROWS = IMAGES * OUT_HEIGHT;
const ROW_BLOCKS = (TAPS + 3u) / 4u;
const BLOCKS = (OUTPUTS + 7u) / 8u;
const CI = GROUPS * INPUTS;
const CO = GROUPS * OUTPUTS;

// Where a row of the filter bank looks, from the window's first tap: channel, row and column.
fn offset(row: u32, group: u32) -> vec3<u32> {
    let r = min(row, TAPS - 1u);
    let tap = r / INPUTS;
    let channel = group * INPUTS + r % INPUTS;
    return vec3(channel, tap / KERNEL_X * DILATION_Y - PAD_TOP, tap % KERNEL_X * DILATION_X - PAD_LEFT);
}

fn load(image: u32, oy: u32, ox: u32, offset: vec3<u32>) -> f32 {
    let row = oy * STRIDE_Y + offset.y;
    let column = ox * STRIDE_X + offset.z;
    let inside = row < HEIGHT && column < WIDTH;
    let index = ((image * HEIGHT + row) * WIDTH + column) * CI + offset.x;
    return select(0.0, x[select(0u, index, inside)], inside);
}

fn put(chunk: u32, row: u32, group: u32, channel: u32, value: f32) {
    if row < TAPS && channel < OUTPUTS {
        dw[(chunk * TAPS + row) * CO + group * OUTPUTS + channel] = value;
    }
}

fn put4(chunk: u32, row: u32, group: u32, channel: u32, value: vec4<f32>) {
    put(chunk, row, group, channel, value.x);
    put(chunk, row, group, channel + 1u, value.y);
    put(chunk, row, group, channel + 2u, value.z);
    put(chunk, row, group, channel + 3u, value.w);
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= CHUNKS * ROW_BLOCKS * GROUPS * BLOCKS {
        return;
    }
    let channel = i % BLOCKS * 8u;
    let group = i / BLOCKS % GROUPS;
    let first = i / (BLOCKS * GROUPS) % ROW_BLOCKS * 4u;
    let chunk = i / (BLOCKS * GROUPS * ROW_BLOCKS);
    let offset0 = offset(first, group);
    let offset1 = offset(first + 1u, group);
    let offset2 = offset(first + 2u, group);
    let offset3 = offset(first + 3u, group);
    let channels0 = group * OUTPUTS + min(vec4(channel) + vec4(0u, 1u, 2u, 3u), vec4(OUTPUTS - 1u));
    let channels1 = group * OUTPUTS + min(vec4(channel) + vec4(4u, 5u, 6u, 7u), vec4(OUTPUTS - 1u));
    var g00 = vec4(0.0);
    var g01 = vec4(0.0);
    var g10 = vec4(0.0);
    var g11 = vec4(0.0);
    var g20 = vec4(0.0);
    var g21 = vec4(0.0);
    var g30 = vec4(0.0);
    var g31 = vec4(0.0);
    let end = min((chunk + 1u) * CHUNK_ROWS, ROWS);
    for (var row = chunk * CHUNK_ROWS; row < end; row++) {
        let image = row / OUT_HEIGHT;
        let oy = row % OUT_HEIGHT;
        for (var ox = 0u; ox < OUT_WIDTH; ox++) {
            let pixel = vec4((row * OUT_WIDTH + ox) * CO);
            let o0 = pixel + channels0;
            let o1 = pixel + channels1;
            let d0 = vec4(dy[o0.x], dy[o0.y], dy[o0.z], dy[o0.w]);
            let d1 = vec4(dy[o1.x], dy[o1.y], dy[o1.z], dy[o1.w]);
            let x0 = load(image, oy, ox, offset0);
            let x1 = load(image, oy, ox, offset1);
            let x2 = load(image, oy, ox, offset2);
            let x3 = load(image, oy, ox, offset3);
            g00 += x0 * d0;
            g01 += x0 * d1;
            g10 += x1 * d0;
            g11 += x1 * d1;
            g20 += x2 * d0;
            g21 += x2 * d1;
            g30 += x3 * d0;
            g31 += x3 * d1;
        }
    }
    put4(chunk, first, group, channel, g00);
    put4(chunk, first, group, channel + 4u, g01);
    put4(chunk, first + 1u, group, channel, g10);
    put4(chunk, first + 1u, group, channel + 4u, g11);
    put4(chunk, first + 2u, group, channel, g20);
    put4(chunk, first + 2u, group, channel + 4u, g21);
    put4(chunk, first + 3u, group, channel, g30);
    put4(chunk, first + 3u, group, channel + 4u, g31);
}
