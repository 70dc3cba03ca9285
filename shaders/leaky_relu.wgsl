// One thread computes one element. SLOPE_BITS is the slope's f32 bit pattern.

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
    y[i] = x[i] * select(1.0, bitcast<f32>(SLOPE_BITS), x[i] <= 0.0);
}
