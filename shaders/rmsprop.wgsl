// One thread updates one parameter and its memory of squared gradients. settings: learning rate, unused,
// weight decay, what the memory keeps, what a square adds to it, epsilon.

@group(0) @binding(0) var<storage, read> gradients: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(3) var<storage, read_write> squares: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let gradient = gradients[i] + settings[2] * parameters[i];
    let square = settings[3] * squares[i] + settings[4] * gradient * gradient;
    squares[i] = square;
    parameters[i] -= settings[0] * gradient / (sqrt(square) + settings[5]);
}
