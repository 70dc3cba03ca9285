// One thread passes one element of the gradient, or weakens it by the slope. CUT_INPUT: where the
// rectifier's input x was not positive; CUT_GRADIENT: where the gradient itself is negative; by both
// factors where both hold. SLOPE_BITS is the slope's f32 bit pattern.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let slope = bitcast<f32>(SLOPE_BITS);
    let by_input = select(1.0, slope, CUT_INPUT == 1u && x[i] <= 0.0);
    let by_gradient = select(1.0, slope, CUT_GRADIENT == 1u && dy[i] < 0.0);
    dx[i] = dy[i] * by_input * by_gradient;
}
