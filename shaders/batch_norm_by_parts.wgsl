// A run of rows of x [ROWS, CHANNELS], by threads as lanes_*.wgsl say, each every LANES-th row of one channel, normalized by
// statistics that they merge themselves, so that nothing waits for them: each thread those of its channel in
// every LANES-th row of parts [chunks of CHUNK rows, 2, CHANNELS] (moments.wgsl). EPS_BITS is an f32.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> beta: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

//:use merged_parts

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = place(group.x + group.y * groups.x, thread);
    let channel = at.x;
    let all = merged(at, thread);
    if channel < CHANNELS && at.z < LANES {
        let scale = gamma[channel] / sqrt(all.z / f32(ROWS) + bitcast<f32>(EPS_BITS));
        let shift = beta[channel];
        for (var row = at.y * RUN + at.z; row < min(at.y * RUN + RUN, ROWS); row += LANES) {
            let i = row * CHANNELS + channel;
            y[i] = tail(i, i, (x[i] - all.y) * scale + shift);
        }
    }
}
