// One thread scales and shifts one element. SCALE_BITS and SHIFT_BITS are f32 bit patterns.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    y[i] = x[i] * bitcast<f32>(SCALE_BITS) + bitcast<f32>(SHIFT_BITS);
}
