// A run of rows of dy and x [ROWS, CHANNELS], by threads as lanes_*.wgsl say, each every LANES-th row of one channel: the sums
// of the gradient times the normalized input, and of the gradient. A row of parts [chunks, 2 HALF] has
// the former from word 0 and the latter from word HALF on, and zeros between. EPS_BITS is an f32.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;

fn combined(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    return a + b;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = place(group.x + group.y * groups.x, thread);
    let channel = at.x;
    let begin = at.y * RUN + at.z;
    let end = select(0u, min(at.y * RUN + RUN, ROWS), channel < CHANNELS);
    let center = mean[min(channel, CHANNELS - 1u)];
    var plain = 0.0;
    var centered = 0.0;
    for (var row = begin; row < end; row += LANES) {
        let i = row * CHANNELS + channel;
        plain += dy[i];
        centered += dy[i] * (x[i] - center);
    }
    let all = together(vec4(centered, plain, 0.0, 0.0), thread);
    if at.z == 0u && begin < end {
        let first = at.y * 2u * HALF;
        parts[first + channel] = all.x / sqrt(variance[channel] + bitcast<f32>(EPS_BITS));
        parts[first + HALF + channel] = all.y;
        for (var k = channel + CHANNELS; k < HALF; k += CHANNELS) {
            parts[first + k] = 0.0;
            parts[first + HALF + k] = 0.0;
        }
    }
}
