// One workgroup sums the squares of CHUNK gradients, each first limited to limits[1] if that is above 0:
// its threads take elements in turn, then halve their sums.

@group(0) @binding(0) var<storage, read> gradients: array<f32>;
@group(0) @binding(1) var<storage, read> limits: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

var<workgroup> partial: array<f32, 64>;

// NaN stays NaN.
fn limited(gradient: f32, limit: f32) -> f32 {
    return select(gradient, sign(gradient) * limit, limit > 0.0 && abs(gradient) > limit);
}

@compute @workgroup_size(64)
fn main(
    @builtin(local_invocation_index) thread: u32,
    @builtin(workgroup_id) group: vec3<u32>,
) {
    let end = min((group.x + 1u) * CHUNK, ELEMENTS);
    var sum = 0.0;
    for (var i = group.x * CHUNK + thread; i < end; i += 64u) {
        let gradient = limited(gradients[i], limits[1]);
        sum += gradient * gradient;
    }
    partial[thread] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread < half {
            partial[thread] += partial[thread + half];
        }
    }
    if thread == 0u {
        sums[group.x] = partial[0];
    }
}
