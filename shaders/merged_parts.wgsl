// For kernels that say `//:use merged_parts` (src/program/template.rs): the statistics of a channel of all ROWS rows, merged from
// parts [chunks of CHUNK rows, 2, CHANNELS] (moments.wgsl) by threads as lanes_*.wgsl say, each those of every LANES-th
// chunk.

//:use merged_moments

fn merged(at: vec3<u32>, thread: u32) -> vec4<f32> {
    let end = select(0u, ROWS, at.x < CHANNELS && at.z < LANES && at.y * RUN < ROWS);
    var own = vec4(0.0);
    for (var begin = at.z * CHUNK; begin < end; begin += LANES * CHUNK) {
        let k = begin / CHUNK * 2u * CHANNELS + at.x;
        own = combined(own, vec4(f32(min(CHUNK, ROWS - begin)), parts[k], parts[k + CHANNELS], 0.0));
    }
    return together(own, thread);
}
