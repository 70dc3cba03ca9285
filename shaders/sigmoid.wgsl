// One thread computes one element. The exponential is of a negative number, so that it cannot
// overflow.

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
    let e = exp(-abs(x[i]));
    // Some drivers' exp loses NaN, and would hide that a network has diverged.
    let is_nan = (bitcast<u32>(x[i]) & 0x7fffffffu) > 0x7f800000u;
    y[i] = select(select(1.0, e, x[i] < 0.0) / (1.0 + e), x[i], is_nan);
}
