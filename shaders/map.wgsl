// One thread sends four neighboring elements through the tail.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = (id.x + id.y * groups.x * 64u) * 4u;
//:for e 4
    if i + $eu < ELEMENTS {
        y[i + $eu] = tail(i + $eu, i + $eu, x[i + $eu]);
    }
//:end
}
