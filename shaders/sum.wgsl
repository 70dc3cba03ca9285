// One thread sums, in order, CHUNK of the REDUCE elements that share an outer and an inner index, and
// scales the sum: x [OUTER, REDUCE, INNER] to y [OUTER, CHUNKS, INNER]. SCALE_BITS is the factor's f32
// bit pattern.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

const CHUNKS: u32 = (REDUCE + CHUNK - 1u) / CHUNK;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= OUTER * CHUNKS * INNER {
        return;
    }
    let outer = i / (CHUNKS * INNER);
    let begin = i / INNER % CHUNKS * CHUNK;
    let end = min(begin + CHUNK, REDUCE);
    let first = outer * REDUCE * INNER + i % INNER;
    var total = 0.0;
    for (var k = begin; k < end; k++) {
        total += x[first + k * INNER];
    }
    y[i] = tail(i, i, total * bitcast<f32>(SCALE_BITS));
}
