// One thread takes one channel over CHUNK of the ROWS of x [ROWS, CHANNELS]: their mean, then the sum of
// squared distances from it. A row of partials [chunks, 2, CHANNELS] has the means and then the sums;
// moments_merge merges the chunks.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    let chunk = i / CHANNELS;
    let begin = chunk * CHUNK;
    if begin >= ROWS {
        return;
    }
    let channel = i % CHANNELS;
    let end = min(begin + CHUNK, ROWS);
    var total = 0.0;
    for (var row = begin; row < end; row++) {
        total += x[row * CHANNELS + channel];
    }
    let mean = total / f32(end - begin);
    var squares = 0.0;
    for (var row = begin; row < end; row++) {
        let distance = x[row * CHANNELS + channel] - mean;
        squares += distance * distance;
    }
    partials[chunk * 2u * CHANNELS + channel] = mean;
    partials[(chunk * 2u + 1u) * CHANNELS + channel] = squares;
}
