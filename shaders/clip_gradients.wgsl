// One thread limits one gradient to limits[1], and scales it so that the norm of all is at most
// limits[0]; a limit of 0 is none. Each workgroup adds up the chunks' sums of squares for itself.

@group(0) @binding(0) var<storage, read> gradients: array<f32>;
@group(0) @binding(1) var<storage, read> limits: array<f32>;
@group(0) @binding(2) var<storage, read> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> partial: array<f32, 64>;

// NaN stays NaN.
fn limited(gradient: f32, limit: f32) -> f32 {
    return select(gradient, sign(gradient) * limit, limit > 0.0 && abs(gradient) > limit);
}

@compute @workgroup_size(64)
fn main(
    @builtin(local_invocation_index) thread: u32,
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    var sum = 0.0;
    for (var i = thread; i < CHUNKS; i += 64u) {
        sum += sums[i];
    }
    partial[thread] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread < half {
            partial[thread] += partial[thread + half];
        }
    }
    workgroupBarrier();
    let norm = sqrt(partial[0]);
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let scale = select(1.0, limits[0] / norm, limits[0] > 0.0 && norm > limits[0]);
    y[i] = limited(gradients[i], limits[1]) * scale;
}
