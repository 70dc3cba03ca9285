// One thread computes, over one chunk of the inner extent, 4 rows times 8 columns of the product.
// Lanes past the last row or column repeat it and are not stored. The strides say which operand is
// transposed.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const ROW_BLOCKS = (ROWS + 3u) / 4u;
const COLUMN_BLOCKS = (COLUMNS + 7u) / 8u;

fn put(chunk: u32, row: u32, column: u32, value: f32) {
    if row < ROWS && column < COLUMNS {
        y[(chunk * ROWS + row) * COLUMNS + column] = value;
    }
}

fn put4(chunk: u32, row: u32, column: u32, value: vec4<f32>) {
    put(chunk, row, column, value.x);
    put(chunk, row, column + 1u, value.y);
    put(chunk, row, column + 2u, value.z);
    put(chunk, row, column + 3u, value.w);
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= CHUNKS * ROW_BLOCKS * COLUMN_BLOCKS {
        return;
    }
    let column = i % COLUMN_BLOCKS * 8u;
    let row = i / COLUMN_BLOCKS % ROW_BLOCKS * 4u;
    let chunk = i / (COLUMN_BLOCKS * ROW_BLOCKS);
    let rows = min(vec4(row) + vec4(0u, 1u, 2u, 3u), vec4(ROWS - 1u)) * A_ROW;
    let columns0 = min(vec4(column) + vec4(0u, 1u, 2u, 3u), vec4(COLUMNS - 1u)) * B_COLUMN;
    let columns1 = min(vec4(column) + vec4(4u, 5u, 6u, 7u), vec4(COLUMNS - 1u)) * B_COLUMN;
    var y00 = vec4(0.0);
    var y01 = vec4(0.0);
    var y10 = vec4(0.0);
    var y11 = vec4(0.0);
    var y20 = vec4(0.0);
    var y21 = vec4(0.0);
    var y30 = vec4(0.0);
    var y31 = vec4(0.0);
    let end = min((chunk + 1u) * CHUNK, INNER);
    for (var k = chunk * CHUNK; k < end; k++) {
        let in_a = rows + k * A_INNER;
        let in_b0 = columns0 + k * B_INNER;
        let in_b1 = columns1 + k * B_INNER;
        let b0 = vec4(b[in_b0.x], b[in_b0.y], b[in_b0.z], b[in_b0.w]);
        let b1 = vec4(b[in_b1.x], b[in_b1.y], b[in_b1.z], b[in_b1.w]);
        let a0 = a[in_a.x];
        let a1 = a[in_a.y];
        let a2 = a[in_a.z];
        let a3 = a[in_a.w];
        y00 += a0 * b0;
        y01 += a0 * b1;
        y10 += a1 * b0;
        y11 += a1 * b1;
        y20 += a2 * b0;
        y21 += a2 * b1;
        y30 += a3 * b0;
        y31 += a3 * b1;
    }
    put4(chunk, row, column, y00);
    put4(chunk, row, column + 4u, y01);
    put4(chunk, row + 1u, column, y10);
    put4(chunk, row + 1u, column + 4u, y11);
    put4(chunk, row + 2u, column, y20);
    put4(chunk, row + 2u, column + 4u, y21);
    put4(chunk, row + 3u, column, y30);
    put4(chunk, row + 3u, column + 4u, y31);
}
