// One thread computes a whole row of input pixels of TOGETHER images times CHANNELS input channels, of a convolution that
// neither pads its input nor strides. It spreads each output pixel over the pixels that its window covers, so
// that, other than in conv2d_input_gradient_rows, no tap meets a pixel beyond the output's edge. Channels past the last
// read what is there and are not stored. Pixels and taps are counted from the right, so that each sum takes output
// pixels in the same order as there. One flat loop over rows of taps and output channels, as in conv2d_rows.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

const CHANNEL_BLOCKS = (INPUTS + CHANNELS - 1u) / CHANNELS;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES / TOGETHER * HEIGHT * CHANNEL_BLOCKS {
        return;
    }
    let channel = i % CHANNEL_BLOCKS * CHANNELS;
    let row = i / CHANNEL_BLOCKS;
    let image = row / HEIGHT * TOGETHER;
    let bottom = row % HEIGHT;
//:for m TOGETHER
//:for p WIDTH
//:for c CHANNELS
    var dx$m_$p_$c = 0.0;
//:end
//:end
//:end
    // Rows of taps that reach this row from a row of the output.
    var ky = bottom - min(bottom, OUT_HEIGHT - 1u);
    let rows = min(bottom, KERNEL_Y - 1u) + 1u - ky;
    var output = 0u;
    for (var turn = 0u; turn < rows * OUTPUTS; turn++) {
        let first = (image * OUT_HEIGHT + bottom - ky) * OUT_WIDTH * OUTPUTS + output;
//:for m TOGETHER
//:for j OUT_WIDTH
        let dy$m_$j = dy[first + ($mu * OUT_HEIGHT * OUT_WIDTH + OUT_WIDTH - 1u - $ju) * OUTPUTS];
//:end
//:end
//:for k KERNEL_X
        let w$k = ((ky * KERNEL_X + KERNEL_X - 1u - $ku) * INPUTS + channel) * OUTPUTS + output;
//:for c CHANNELS
        let w$k_$c = w[w$k + $cu * OUTPUTS];
//:for m TOGETHER
//:for j OUT_WIDTH
        dx$m_$(j+k)_$c += dy$m_$j * w$k_$c;
//:end
//:end
//:end
//:end
        let is_last = output + 1u == OUTPUTS;
        output = select(output + 1u, 0u, is_last);
        ky += select(0u, 1u, is_last);
    }
//:for m TOGETHER
    let place$m = ((image + $mu) * HEIGHT + bottom) * WIDTH * INPUTS + channel;
//:for p WIDTH
//:for c CHANNELS
//:for g short_block
    if channel + $cu < INPUTS {
//:end
    let i$m_$p_$c = place$m + (WIDTH - 1u - $pu) * INPUTS + $cu;
    dx[i$m_$p_$c] = tail(i$m_$p_$c, channel + $cu, dx$m_$p_$c);
//:for g short_block
    }
//:end
//:end
//:end
//:end
}
