// One thread writes one element of y [OUTER, REDUCE, INNER]: x [OUTER, INNER] at its outer and inner
// index, scaled. SCALE_BITS is the factor's f32 bit pattern.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= OUTER * REDUCE * INNER {
        return;
    }
    y[i] = tail(i, i, x[i / (REDUCE * INNER) * INNER + i % INNER] * bitcast<f32>(SCALE_BITS));
}
