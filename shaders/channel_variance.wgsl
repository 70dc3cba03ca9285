// One thread sums, over CHUNK of the ROWS of x [ROWS, CHANNELS], the squared distances of one channel
// from its mean. partials is [chunks, CHANNELS]; `sum` adds the chunks.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    let first = i / CHANNELS * CHUNK;
    if first >= ROWS {
        return;
    }
    let channel = i % CHANNELS;
    let center = mean[channel];
    var total = 0.0;
    for (var row = first; row < min(first + CHUNK, ROWS); row++) {
        let distance = x[row * CHANNELS + channel] - center;
        total += distance * distance;
    }
    partials[i] = total;
}
