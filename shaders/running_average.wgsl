// One thread updates one element of the state: KEEP_BITS of it plus TAKE_BITS of the value (f32 bit
// patterns).

@group(0) @binding(0) var<storage, read> value: array<f32>;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    state[i] = state[i] * bitcast<f32>(KEEP_BITS) + value[i] * bitcast<f32>(TAKE_BITS);
}
