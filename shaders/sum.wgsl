// One thread sums the REDUCE elements that share an outer and an inner index, in order, and scales
// the sum. SCALE_BITS is the factor's f32 bit pattern.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= OUTER * INNER {
        return;
    }
    let first = i / INNER * REDUCE * INNER + i % INNER;
    var total = 0.0;
    for (var k = 0u; k < REDUCE; k++) {
        total += x[first + k * INNER];
    }
    y[i] = total * bitcast<f32>(SCALE_BITS);
}
