// One thread updates one parameter and its velocity, at the rate of the tensor that owns its block of 64
// words. settings: learning rate, momentum, weight decay, trust, unused, epsilon. sums: squares of each
// tensor's parameters and gradients.

@group(0) @binding(0) var<storage, read> gradients: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read> owners: array<f32>;
@group(0) @binding(3) var<storage, read> sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(5) var<storage, read_write> velocity: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let owner = u32(owners[i / 64u]);
    let size = sqrt(sums[owner * 2u]);
    let slope = sqrt(sums[owner * 2u + 1u]);
    let trusted = settings[3] * size / (slope + settings[2] * size + settings[5]);
    let ratio = select(1.0, trusted, size > 0.0 && slope > 0.0);
    let gradient = gradients[i] + settings[2] * parameters[i];
    let speed = settings[1] * velocity[i] + settings[0] * ratio * gradient;
    velocity[i] = speed;
    parameters[i] -= speed;
}
