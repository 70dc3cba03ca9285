// One thread passes one element of the gradient, or cuts it. CUT_INPUT: where the rectifier's input
// x was not positive; CUT_GRADIENT: where the gradient itself is negative.

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
    let cut = (CUT_INPUT == 1u && x[i] <= 0.0) || (CUT_GRADIENT == 1u && dy[i] < 0.0);
    dx[i] = select(dy[i], 0.0, cut);
}
