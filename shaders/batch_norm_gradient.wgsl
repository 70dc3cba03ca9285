// The input's gradient for a run of rows of dx [ROWS, CHANNELS], by threads as lanes_*.wgsl say, each every LANES-th row of
// one channel. They add up the parts [CHUNKS, 2 HALF] of the channel's sums themselves (batch_norm_sums.wgsl), so
// that nothing waits for them: each thread every LANES-th chunk. EPS_BITS is an f32.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read> parts: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;

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
    let end = select(0u, CHUNKS, channel < CHANNELS && at.z < LANES);
    var own = vec4(0.0);
    for (var chunk = at.z; chunk < end; chunk += LANES) {
        let k = chunk * 2u * HALF + channel;
        own += vec4(parts[k], parts[k + HALF], 0.0, 0.0);
    }
    let all = together(own, thread);
    if end > 0u {
        let deviation = sqrt(variance[channel] + bitcast<f32>(EPS_BITS));
        let scale = gamma[channel] / deviation;
        let slope = all.x / (f32(ROWS) * deviation);
        let offset = all.y / f32(ROWS);
        let center = mean[channel];
        for (var row = at.y * RUN + at.z; row < min(at.y * RUN + RUN, ROWS); row += LANES) {
            let i = row * CHANNELS + channel;
            dx[i] = scale * (dy[i] - offset - (x[i] - center) * slope);
        }
    }
}
