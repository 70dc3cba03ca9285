// One thread merges the chunks of one channel: number, mean and sum of squared distances so far with the
// next chunk's. y has the means from word 0 and the biased variances from word HALF on.

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let channel = id.x + id.y * groups.x * 64u;
    if channel >= CHANNELS {
        return;
    }
    var count = 0.0;
    var mean = 0.0;
    var squares = 0.0;
    for (var begin = 0u; begin < ROWS; begin += CHUNK) {
        let at = begin / CHUNK * 2u * CHANNELS + channel;
        let more = f32(min(CHUNK, ROWS - begin));
        let all = count + more;
        let delta = partials[at] - mean;
        mean += delta * (more / all);
        squares += partials[at + CHANNELS] + delta * delta * (count * (more / all));
        count = all;
    }
    y[channel] = mean;
    y[HALF + channel] = squares / f32(ROWS);
}
