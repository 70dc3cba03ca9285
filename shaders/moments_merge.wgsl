// The statistics of every channel, merged by threads as lanes_*.wgsl say. y has the means from word 0 and the biased
// variances from word HALF on.

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

//:use merged_parts

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let at = place(group.x + group.y * groups.x, thread);
    let all = merged(at, thread);
    if at.x < CHANNELS && at.y + at.z == 0u {
        y[at.x] = all.y;
        y[HALF + at.x] = all.z / f32(ROWS);
    }
}
