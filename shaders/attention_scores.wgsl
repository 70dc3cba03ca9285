// One thread computes one element of y [IMAGES, HEADS, QUERIES, KEYS]: the scalar product of a query's and a
// key's WIDTH features of one head. Tokens are [IMAGES, QUERIES or KEYS, HEADS, WIDTH].

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * HEADS * QUERIES * KEYS {
        return;
    }
    let head = i / (KEYS * QUERIES) % HEADS;
    let image = i / (KEYS * QUERIES * HEADS);
    let query = ((image * QUERIES + i / KEYS % QUERIES) * HEADS + head) * WIDTH;
    let key = ((image * KEYS + i % KEYS) * HEADS + head) * WIDTH;
    var total = 0.0;
    for (var k = 0u; k < WIDTH; k++) {
        total += a[query + k] * b[key + k];
    }
    y[i] = tail(i, i, total);
}
