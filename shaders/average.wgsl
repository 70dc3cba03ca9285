// One thread moves one element of a running average toward its parameter. decay: the share that survives
// (less in the first steps, nothing in the first of them), the step of the first. counters[0]: steps done.

@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read> decay: array<f32>;
@group(0) @binding(2) var<storage, read> counters: array<u32>;
@group(0) @binding(3) var<storage, read_write> average: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let steps = f32(counters[0]) - decay[1];
    if steps <= 0.0 {
        average[i] = parameters[i];
        return;
    }
    let kept = min(decay[0], (1.0 + steps) / (10.0 + steps));
    average[i] = kept * average[i] + (1.0 - kept) * parameters[i];
}
