// One thread computes PIXELS input pixels of one row of TOGETHER images, STRIDE_X apart, times CHANNELS input channels: the
// pixels of one phase, which the same taps of the filters reach, so that no tap is tried in vain.
// Output pixels under them are loaded once and used for every tap. Pixels and channels past the last
// read what is there and are not stored.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

const CHANNEL_BLOCKS = (INPUTS + CHANNELS - 1u) / CHANNELS;
// Blocks of a phase, and of a row.
const PHASE_BLOCKS = ((WIDTH + STRIDE_X - 1u) / STRIDE_X + PIXELS - 1u) / PIXELS;
const PIXEL_BLOCKS = STRIDE_X * PHASE_BLOCKS;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES / TOGETHER * HEIGHT * PIXEL_BLOCKS * CHANNEL_BLOCKS {
        return;
    }
    let channel = i % CHANNEL_BLOCKS * CHANNELS;
    let block = i / CHANNEL_BLOCKS % PIXEL_BLOCKS;
    let column = block % PHASE_BLOCKS * PIXELS * STRIDE_X + block / PHASE_BLOCKS;
    let row = i / (CHANNEL_BLOCKS * PIXEL_BLOCKS);
    let image = row / HEIGHT * TOGETHER;
    let bottom = row % HEIGHT + PAD_TOP;
    // The first tap that reaches these columns, and the output column from which it does.
    let phase = (column + PAD_LEFT) % STRIDE_X;
    let right = (column + PAD_LEFT) / STRIDE_X;
//:for m TOGETHER
//:for p PIXELS
//:for c CHANNELS
    var dx$m_$p_$c = 0.0;
//:end
//:end
//:end
    // Output columns, leftmost first; below the first they wrap to numbers far beyond the last.
//:for j columns
    let column$j = right + $ju - (PHASE_TAPS - 1u);
    let inside$j = column$j < OUT_WIDTH;
    let offset$j = select(0u, column$j * OUTPUTS, inside$j);
//:end
    for (var ky = bottom % STRIDE_Y; ky < KERNEL_Y; ky += STRIDE_Y) {
        let line = (bottom - ky) / STRIDE_Y;
        if bottom < ky || line >= OUT_HEIGHT {
            continue;
        }
        let first = (image * OUT_HEIGHT + line) * OUT_WIDTH * OUTPUTS;
//:for t PHASE_TAPS
        let kx$t = phase + (PHASE_TAPS - 1u - $tu) * STRIDE_X;
        let w$t = ((ky * KERNEL_X + kx$t) * INPUTS + channel) * OUTPUTS;
//:end
        for (var output = 0u; output < OUTPUTS; output++) {
//:for m TOGETHER
            let first$m = first + $mu * OUT_HEIGHT * OUT_WIDTH * OUTPUTS + output;
//:for j columns
            let dy$m_$j = select(0.0, dy[first$m + offset$j], inside$j);
//:end
//:end
//:for t PHASE_TAPS
//:for g uneven
            // Some phases have a tap less.
            if kx$t < KERNEL_X {
//:end
//:for c CHANNELS
            let w$t_$c = w[w$t + $cu * OUTPUTS + output];
//:for m TOGETHER
//:for p PIXELS
            dx$m_$p_$c += dy$m_$(p+t) * w$t_$c;
//:end
//:end
//:end
//:for g uneven
            }
//:end
//:end
        }
    }
//:for m TOGETHER
    let place$m = (((image + $mu) * HEIGHT + row % HEIGHT) * WIDTH + column) * INPUTS + channel;
//:for p PIXELS
//:for g short_row
    if column + $pu * STRIDE_X < WIDTH {
//:end
//:for c CHANNELS
//:for g short_block
    if channel + $cu < INPUTS {
//:end
    let i$m_$p_$c = place$m + $pu * STRIDE_X * INPUTS + $cu;
    dx[i$m_$p_$c] = tail(i$m_$p_$c, channel + $cu, dx$m_$p_$c);
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
