// One thread computes, over one chunk of output rows, TAPS rows of KERNEL_X taps of the filters times ROWS input channels
// times CHANNELS output channels. It walks along the output rows PIXELS at a time, in one flat loop as in conv2d_rows
// (which divides at each turn, and yet beats counting by a fifth); the input under them is loaded once and used for every
// tap of its row. Channels past the last read what is there and are not stored.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;

const ROW_BLOCKS = (INPUTS + ROWS - 1u) / ROWS;
const CHANNEL_BLOCKS = (OUTPUTS + CHANNELS - 1u) / CHANNELS;
const TAP_BLOCKS = KERNEL_Y / TAPS;
const PIXEL_BLOCKS = (OUT_WIDTH + PIXELS - 1u) / PIXELS;
const WEIGHTS = KERNEL_Y * KERNEL_X * INPUTS * OUTPUTS;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= CHUNKS * TAP_BLOCKS * ROW_BLOCKS * CHANNEL_BLOCKS {
        return;
    }
    let channel = i % CHANNEL_BLOCKS * CHANNELS;
    let input = i / CHANNEL_BLOCKS % ROW_BLOCKS * ROWS;
    let ky = i / (CHANNEL_BLOCKS * ROW_BLOCKS) % TAP_BLOCKS * TAPS;
    let chunk = i / (CHANNEL_BLOCKS * ROW_BLOCKS * TAP_BLOCKS);
//:for t TAPS
//:for k KERNEL_X
//:for r ROWS
//:for c CHANNELS
    var g$t_$k_$r_$c = 0.0;
//:end
//:end
//:end
//:end
    let end = min((chunk + 1u) * CHUNK_ROWS, IMAGES * OUT_HEIGHT);
    for (var block = chunk * CHUNK_ROWS * PIXEL_BLOCKS; block < end * PIXEL_BLOCKS; block++) {
        let row = block / PIXEL_BLOCKS;
        let column = block % PIXEL_BLOCKS * PIXELS;
        let top = row % OUT_HEIGHT * STRIDE_Y + ky - PAD_TOP;
        let left = column * STRIDE_X - PAD_LEFT;
//:for j columns
        let inside$j = left + $ju < WIDTH;
        let offset$j = select(0u, (left + $ju) * INPUTS, inside$j);
//:end
//:for t TAPS
        let exists$t = top + $tu < HEIGHT;
        let first$t = (row / OUT_HEIGHT * HEIGHT + top + $tu) * WIDTH * INPUTS + input;
//:for j columns
//:for r ROWS
        let x$t_$j_$r = select(0.0, x[first$t + offset$j + $ru], inside$j && exists$t);
//:end
//:end
//:end
//:for p PIXELS
//:for g short_row
        if column + $pu < OUT_WIDTH {
//:end
        let pixel$p = (row * OUT_WIDTH + column + $pu) * OUTPUTS + channel;
//:for c CHANNELS
        let dy$p_$c = dy[pixel$p + $cu];
//:for t TAPS
//:for k KERNEL_X
//:for r ROWS
        g$t_$k_$r_$c += x$t_$(p*STRIDE_X+k)_$r * dy$p_$c;
//:end
//:end
//:end
//:end
//:for g short_row
        }
//:end
//:end
    }
//:for t TAPS
//:for k KERNEL_X
//:for r ROWS
//:for g short_inputs
    if input + $ru < INPUTS {
//:end
    let place$t_$k_$r = chunk * WEIGHTS + (((ky + $tu) * KERNEL_X + $ku) * INPUTS + input + $ru) * OUTPUTS + channel;
//:for c CHANNELS
//:for g short_block
    if channel + $cu < OUTPUTS {
//:end
    dw[place$t_$k_$r + $cu] = g$t_$k_$r_$c;
//:for g short_block
    }
//:end
//:end
//:for g short_inputs
    }
//:end
//:end
//:end
//:end
}
