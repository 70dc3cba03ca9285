// One thread finishes one of the ELEMENTS of y, if it is a sum whose parts wait: it adds them up in order. Every
// 64 elements share a row of the table: first word, parts, words of a part, and how many of the elements are sums.

@group(0) @binding(0) var<storage, read> parts: array<f32>;
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
    let row = (i >> 6u) * 4u;
    let lane = i & 63u;
    if lane >= table[row + 3u] {
        return;
    }
    let first = table[row] + lane;
    let words = table[row + 2u];
    let end = first + table[row + 1u] * words;
    var total = 0.0;
    for (var at = first; at < end; at += words) {
        total += parts[at];
    }
    y[i] = total;
}
