// One thread normalizes one element of x [.., CHANNELS]. EPS_BITS is an f32 bit pattern.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let channel = i % CHANNELS;
    let scale = gamma[channel] / sqrt(variance[channel] + bitcast<f32>(EPS_BITS));
    y[i] = (x[i] - mean[channel]) * scale + beta[channel];
}
