// One thread updates one parameter and its running means of squared gradients and squared changes.
// settings: learning rate, unused, weight decay, what the means keep, unused, epsilon.

@group(0) @binding(0) var<storage, read> gradients: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(3) var<storage, read_write> squares: array<f32>;
@group(0) @binding(4) var<storage, read_write> changes: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let keep = settings[3];
    let gradient = gradients[i] + settings[2] * parameters[i];
    let square = keep * squares[i] + (1.0 - keep) * gradient * gradient;
    let change = sqrt(changes[i] + settings[5]) / sqrt(square + settings[5]) * gradient;
    squares[i] = square;
    changes[i] = keep * changes[i] + (1.0 - keep) * change * change;
    parameters[i] -= settings[0] * change;
}
