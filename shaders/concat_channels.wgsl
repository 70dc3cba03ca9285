// One thread copies one element of one part to that part's channels of y, from FIRST on; the other
// channels are other dispatches'.

@group(0) @binding(0) var<storage, read> part: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= PIXELS * CHANNELS {
        return;
    }
    y[i / CHANNELS * ALL_CHANNELS + FIRST + i % CHANNELS] = part[i];
}
