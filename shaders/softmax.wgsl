// One thread computes the softmax of one row of x [ROWS, CLASSES].

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

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
    var largest = x[first];
    for (var k = 1u; k < CLASSES; k++) {
        largest = select(largest, x[first + k], x[first + k] > largest);
    }
    var total = 0.0;
    for (var k = 0u; k < CLASSES; k++) {
        let e = exp(x[first + k] - largest);
        y[first + k] = e;
        total += e;
    }
    for (var k = 0u; k < CLASSES; k++) {
        y[first + k] /= total;
    }
}
