// One workgroup takes one row of the table, up to 64 sums that lie side by side, and one thread one of them:
// it adds, in order, as many parts as the row says. What no row names is left as it is.

//:for s SOURCES
@group(0) @binding($s) var<storage, read> parts$s: array<f32>;
//:end
@group(0) @binding(SOURCES) var<storage, read> table: array<u32>;
@group(0) @binding(SOURCES + 1u) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    // A row: source, first word, parts, words of a part, first word of the sums, number of sums.
    let number = group.x + group.y * groups.x;
    if number >= GROUPS {
        return;
    }
    let row = number * 6u;
    if lane >= table[row + 5u] {
        return;
    }
    let source = table[row];
    let first = table[row + 1u] + lane;
    let words = table[row + 3u];
    let end = first + table[row + 2u] * words;
    var total = 0.0;
//:for s SOURCES
    if source == $su {
        for (var at = first; at < end; at += words) {
            total += parts$s[at];
        }
    }
//:end
    y[table[row + 4u] + lane] = total;
}
