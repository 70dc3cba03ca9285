// One thread computes the input's gradient for one channel of ROWS_PER_THREAD rows of dx [ROWS, CHANNELS].
// sums holds the channel's sums of dy times the normalized input from word 0 and of dy from word HALF on; WEIGHT_BITS (f32) is
// one over the number of rows, or 0 where the statistics are constants. EPS_BITS is an f32 too.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> variance: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read> sums: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    let begin = i / CHANNELS * ROWS_PER_THREAD;
    if begin >= ROWS {
        return;
    }
    let channel = i % CHANNELS;
    let deviation = sqrt(variance[channel] + bitcast<f32>(EPS_BITS));
    let weight = bitcast<f32>(WEIGHT_BITS);
    let slope = sums[channel] * weight / deviation;
    let offset = sums[HALF + channel] * weight;
    let scale = gamma[channel] / deviation;
    let center = mean[channel];
    for (var row = begin; row < min(begin + ROWS_PER_THREAD, ROWS); row++) {
        let at = row * CHANNELS + channel;
        dx[at] = scale * (dy[at] - offset - (x[at] - center) * slope);
    }
}
