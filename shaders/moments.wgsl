// A run of rows of x [ROWS, CHANNELS], by threads as lanes_*.wgsl say, each every LANES-th row of one channel: the
// mean, then the sum of squared distances from it. A row of parts [chunks, 2, CHANNELS] has the means and then the sums.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> parts: array<f32>;

//:use merged_moments

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
    var total = 0.0;
    var count = 0.0;
    for (var row = begin; row < end; row += LANES) {
        total += x[row * CHANNELS + channel];
        count += 1.0;
    }
    let mean = total / max(count, 1.0);
    var squares = 0.0;
    for (var row = begin; row < end; row += LANES) {
        let distance = x[row * CHANNELS + channel] - mean;
        squares += distance * distance;
    }
    let all = together(vec4(count, mean, squares, 0.0), thread);
    if at.z == 0u && begin < end {
        parts[at.y * 2u * CHANNELS + channel] = all.y;
        parts[(at.y * 2u + 1u) * CHANNELS + channel] = all.z;
    }
}
