// One workgroup sums the squares of one tensor's parameters and gradients: its threads take elements in
// turn, then halve their sums. ranges: first block of 64 words and number of blocks of each tensor.

@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read> gradients: array<f32>;
@group(0) @binding(2) var<storage, read> ranges: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

var<workgroup> partial: array<vec2<f32>, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(local_invocation_index) thread: u32,
    @builtin(workgroup_id) group: vec3<u32>,
) {
    let first = u32(ranges[group.x * 2u]);
    let blocks = u32(ranges[group.x * 2u + 1u]);
    var sum = vec2<f32>(0.0, 0.0);
    for (var block = first; block < first + blocks; block++) {
        let both = vec2<f32>(parameters[block * 64u + thread], gradients[block * 64u + thread]);
        sum += both * both;
    }
    partial[thread] = sum;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread < half {
            partial[thread] += partial[thread + half];
        }
    }
    if thread == 0u {
        sums[group.x * 2u] = partial[0].x;
        sums[group.x * 2u + 1u] = partial[0].y;
    }
}
