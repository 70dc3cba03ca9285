// One thread writes one element of y: x where its channel is one of the CHANNELS from FIRST on, zero
// elsewhere.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= PIXELS * ALL_CHANNELS {
        return;
    }
    // Wraps to a number beyond the last channel where it is below the first.
    let channel = i % ALL_CHANNELS - FIRST;
    let inside = channel < CHANNELS;
    let index = select(0u, i / ALL_CHANNELS * CHANNELS + channel, inside);
    y[i] = select(0.0, x[index], inside);
}
