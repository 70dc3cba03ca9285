// One thread finds the first largest logit of one row of x [ROWS, CLASSES].

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ROWS {
        return;
    }
    let first = i * CLASSES;
    var best = 0u;
    for (var k = 1u; k < CLASSES; k++) {
        best = select(best, k, x[first + k] > x[first + best]);
    }
    y[i] = select(0.0, 1.0, best == labels[i]);
}
