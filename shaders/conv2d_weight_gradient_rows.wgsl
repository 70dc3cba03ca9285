// One thread computes, over one chunk of output rows, KERNEL_X taps of one row of the filters times ROWS
// input channels times CHANNELS output channels. It walks along the output rows PIXELS at a time, in one
// flat loop as in conv2d_rows (which divides at each turn, and yet beats counting by a fifth); the input under them is loaded once and used for every tap. Channels
// past the last read what is there and are not stored.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;

const ROW_BLOCKS = (INPUTS + ROWS - 1u) / ROWS;
const CHANNEL_BLOCKS = (OUTPUTS + CHANNELS - 1u) / CHANNELS;
const PIXEL_BLOCKS = (OUT_WIDTH + PIXELS - 1u) / PIXELS;
const WEIGHTS = KERNEL_Y * KERNEL_X * INPUTS * OUTPUTS;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= CHUNKS * KERNEL_Y * ROW_BLOCKS * CHANNEL_BLOCKS {
        return;
    }
    let channel = i % CHANNEL_BLOCKS * CHANNELS;
    let input = i / CHANNEL_BLOCKS % ROW_BLOCKS * ROWS;
    let ky = i / (CHANNEL_BLOCKS * ROW_BLOCKS) % KERNEL_Y;
    let chunk = i / (CHANNEL_BLOCKS * ROW_BLOCKS * KERNEL_Y);
//:for k KERNEL_X
//:for r ROWS
//:for c CHANNELS
    var g$k_$r_$c = 0.0;
//:end
//:end
//:end
    let end = min((chunk + 1u) * CHUNK_ROWS, IMAGES * OUT_HEIGHT);
    for (var block = chunk * CHUNK_ROWS * PIXEL_BLOCKS; block < end * PIXEL_BLOCKS; block++) {
        let row = block / PIXEL_BLOCKS;
        let column = block % PIXEL_BLOCKS * PIXELS;
        let line = row % OUT_HEIGHT * STRIDE_Y + ky - PAD_TOP;
        let exists = line < HEIGHT;
        let first = (row / OUT_HEIGHT * HEIGHT + line) * WIDTH * INPUTS + input;
        let left = column * STRIDE_X - PAD_LEFT;
//:for j columns
        let inside$j = exists && left + $ju < WIDTH;
        let at$j = first + select(0u, (left + $ju) * INPUTS, inside$j);
//:for r ROWS
        let x$j_$r = select(0.0, x[at$j + $ru], inside$j);
//:end
//:end
//:for p PIXELS
//:for g uneven
        if column + $pu < OUT_WIDTH {
//:end
        let pixel$p = (row * OUT_WIDTH + column + $pu) * OUTPUTS + channel;
//:for c CHANNELS
        let dy$p_$c = dy[pixel$p + $cu];
//:for k KERNEL_X
//:for r ROWS
        g$k_$r_$c += x$(p*STRIDE_X+k)_$r * dy$p_$c;
//:end
//:end
//:end
//:for g uneven
        }
//:end
//:end
    }
//:for k KERNEL_X
//:for r ROWS
    if input + $ru < INPUTS {
        let place = chunk * WEIGHTS + ((ky * KERNEL_X + $ku) * INPUTS + input + $ru) * OUTPUTS + channel;
//:for c CHANNELS
        if channel + $cu < OUTPUTS {
            dw[place + $cu] = g$k_$r_$c;
        }
//:end
    }
//:end
//:end
}
