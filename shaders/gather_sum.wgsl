// One thread adds, in order, the TERMS elements of x that its part of the table names, as far as it names any.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    var total = 0.0;
    for (var k = 0u; k < TERMS; k++) {
        let at = table[i * TERMS + k];
        if at != 0xffffffffu {
            total += x[at];
        }
    }
    y[i] = tail(i, i, total);
}
