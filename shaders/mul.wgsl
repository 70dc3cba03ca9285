// One thread multiplies one element of a [OUTER, REDUCE, INNER] by the element of b [OUTER, INNER]
// that it is broadcast against.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= OUTER * REDUCE * INNER {
        return;
    }
    y[i] = a[i] * b[i / (REDUCE * INNER) * INNER + i % INNER];
}
