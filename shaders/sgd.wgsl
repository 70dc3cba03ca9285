// One thread updates one parameter and its velocity. settings: learning rate, momentum, weight decay,
// three unused, whether the step is Nesterov's.

@group(0) @binding(0) var<storage, read> gradients: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(3) var<storage, read_write> velocity: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let parameter = parameters[i];
    let gradient = gradients[i] + settings[2] * parameter;
    let speed = settings[1] * velocity[i] + gradient;
    velocity[i] = speed;
    let direction = select(speed, gradient + settings[1] * speed, settings[6] != 0.0);
    parameters[i] = parameter - settings[0] * direction;
}
