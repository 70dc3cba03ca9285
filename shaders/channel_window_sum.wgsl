// One thread sums, in order, one element of x [.., CHANNELS] with the BEFORE channels before it and the AFTER
// channels after it, as far as there are any.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let channel = i % CHANNELS;
    let first = i - min(channel, BEFORE);
    let last = i + min(CHANNELS - 1u - channel, AFTER);
    var total = 0.0;
    for (var k = first; k <= last; k++) {
        total += x[k];
    }
    y[i] = tail(i, i, total);
}
