// One thread merges the chunks of one channel: number, mean and sum of squared distances so far with the
// next chunk's. y has the means from word 0 and the biased variances from word HALF on.

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

//:use merged_moments

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let channel = id.x + id.y * groups.x * 64u;
    if channel >= CHANNELS {
        return;
    }
    var all = vec4(0.0);
    for (var begin = 0u; begin < ROWS; begin += CHUNK) {
        let at = begin / CHUNK * 2u * CHANNELS + channel;
        all = combined(all, vec4(f32(min(CHUNK, ROWS - begin)), parts[at], parts[at + CHANNELS], 0.0));
    }
    y[channel] = all.y;
    y[HALF + channel] = all.z / f32(ROWS);
}
