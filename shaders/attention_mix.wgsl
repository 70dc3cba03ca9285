// One thread computes one element of y [IMAGES, tokens, HEADS, WIDTH]: a feature of all tokens of v, weighted by
// a row of p [IMAGES, HEADS, QUERIES, KEYS]. If TRANSPOSED, by a column: then y has the keys and v
// the queries.

@group(0) @binding(0) var<storage, read> p: array<f32>;
@group(0) @binding(1) var<storage, read> v: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const OUTER: u32 = select(QUERIES, KEYS, TRANSPOSED == 1u);
const INNER: u32 = select(KEYS, QUERIES, TRANSPOSED == 1u);
const OUTER_STEP: u32 = select(KEYS, 1u, TRANSPOSED == 1u);
const INNER_STEP: u32 = select(1u, KEYS, TRANSPOSED == 1u);

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * OUTER * HEADS * WIDTH {
        return;
    }
    let feature = i % (HEADS * WIDTH);
    let outer = i / (HEADS * WIDTH) % OUTER;
    let image = i / (HEADS * WIDTH * OUTER);
    let weights = (image * HEADS + feature / WIDTH) * QUERIES * KEYS + outer * OUTER_STEP;
    let first = image * INNER * HEADS * WIDTH + feature;
    var total = 0.0;
    for (var k = 0u; k < INNER; k++) {
        total += p[weights + k * INNER_STEP] * v[first + k * HEADS * WIDTH];
    }
    y[i] = tail(i, i, total);
}
