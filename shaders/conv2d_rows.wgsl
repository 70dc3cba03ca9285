// One thread computes PIXELS neighboring output pixels of ROWS rows times CHANNELS output channels. The
// input under a row of windows is loaded once and used for every tap. Neighboring threads take
// neighboring channels of the same pixels. Pixels and channels past the last read what is there and
// are not stored. One flat loop over rows of taps and input channels: a software adapter moves every
// sum at each turn of a loop, and would move them once more for an outer one.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const CHANNEL_BLOCKS = (OUTPUTS + CHANNELS - 1u) / CHANNELS;
const PIXEL_BLOCKS = (OUT_WIDTH + PIXELS - 1u) / PIXELS;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * OUT_HEIGHT / ROWS * PIXEL_BLOCKS * CHANNEL_BLOCKS {
        return;
    }
    let channel = i % CHANNEL_BLOCKS * CHANNELS;
    let column = i / CHANNEL_BLOCKS % PIXEL_BLOCKS * PIXELS;
    // Rows of output pixels, over the whole batch.
    let row = i / (CHANNEL_BLOCKS * PIXEL_BLOCKS) * ROWS;
//:for r ROWS
    let image$r = (row + $ru) / OUT_HEIGHT;
    let top$r = (row + $ru) % OUT_HEIGHT * STRIDE_Y - PAD_TOP;
//:for p PIXELS
//:for c CHANNELS
    var y$r_$p_$c = 0.0;
//:end
//:end
//:end
    // Columns before the first wrap to numbers far beyond the last.
//:for j columns
    let column$j = column * STRIDE_X + $ju - PAD_LEFT;
    let inside$j = column$j < WIDTH;
    let offset$j = select(0u, column$j * INPUTS, inside$j);
//:end
    var ky = 0u;
    var input = 0u;
    for (var turn = 0u; turn < KERNEL_Y * INPUTS; turn++) {
//:for r ROWS
        let line$r = top$r + ky;
        let exists$r = line$r < HEIGHT;
        let first$r = (image$r * HEIGHT + line$r) * WIDTH * INPUTS + input;
//:for j columns
        let x$r_$j = select(0.0, x[first$r + offset$j], inside$j && exists$r);
//:end
//:end
//:for k KERNEL_X
        let w$k = ((ky * KERNEL_X + $ku) * INPUTS + input) * OUTPUTS + channel;
//:for c CHANNELS
        let w$k_$c = w[w$k + $cu];
//:for r ROWS
//:for p PIXELS
        y$r_$p_$c += x$r_$(p*STRIDE_X+k) * w$k_$c;
//:end
//:end
//:end
//:end
        let is_last = input + 1u == INPUTS;
        input = select(input + 1u, 0u, is_last);
        ky += select(0u, 1u, is_last);
    }
//:for r ROWS
    let place$r = ((row + $ru) * OUT_WIDTH + column) * OUTPUTS + channel;
//:for p PIXELS
//:for g short_row
    if column + $pu < OUT_WIDTH {
//:end
//:for c CHANNELS
//:for g short_block
    if channel + $cu < OUTPUTS {
//:end
    let i$r_$p_$c = place$r + $pu * OUTPUTS + $cu;
    y[i$r_$p_$c] = tail(i$r_$p_$c, channel + $cu, y$r_$p_$c);
//:for g short_block
    }
//:end
//:end
//:for g short_row
    }
//:end
//:end
//:end
}
