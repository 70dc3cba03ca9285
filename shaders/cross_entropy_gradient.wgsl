// One thread computes the gradient of one row of logits x [ROWS, CLASSES].

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

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
        total += exp(x[first + k] - largest);
    }
    let label = labels[i];
    let weight = select(0.0, dy[i], label < CLASSES);
    for (var k = 0u; k < CLASSES; k++) {
        let probability = exp(x[first + k] - largest) / total;
        dx[first + k] = (probability - select(0.0, 1.0, k == label)) * weight;
    }
}
