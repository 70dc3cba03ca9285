// One thread sums one channel over CHUNK of the ROWS of dy and x [ROWS, CHANNELS]: the gradient
// times the normalized input, and the gradient. A row of partials [chunks, 2 HALF] has the former from
// word 0 and the latter from word HALF on; the threads share out the zeros between. `sum` adds the chunks.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;

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
    let center = mean[channel];
    let inverse = 1.0 / sqrt(variance[channel] + bitcast<f32>(EPS_BITS));
    var plain = 0.0;
    var normalized = 0.0;
    for (var row = begin; row < min(begin + CHUNK, ROWS); row++) {
        let at = row * CHANNELS + channel;
        plain += dy[at];
        normalized += dy[at] * ((x[at] - center) * inverse);
    }
    let first = chunk * 2u * HALF;
    partials[first + channel] = normalized;
    partials[first + HALF + channel] = plain;
    for (var k = channel + CHANNELS; k < HALF; k += CHANNELS) {
        partials[first + k] = 0.0;
        partials[first + HALF + k] = 0.0;
    }
}
