// One thread computes, over one chunk of the inner extent, TILE_ROWS rows times TILE_COLUMNS columns of
// the product, STEPS terms at each turn of its loop. The strides say which operand is transposed. Rows and columns past the last read what is
// there and are not stored.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const ROW_BLOCKS = (ROWS + TILE_ROWS - 1u) / TILE_ROWS;
const COLUMN_BLOCKS = (COLUMNS + TILE_COLUMNS - 1u) / TILE_COLUMNS;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= CHUNKS * ROW_BLOCKS * COLUMN_BLOCKS {
        return;
    }
    let column = i % COLUMN_BLOCKS * TILE_COLUMNS;
    let row = i / COLUMN_BLOCKS % ROW_BLOCKS * TILE_ROWS;
    let chunk = i / (COLUMN_BLOCKS * ROW_BLOCKS);
//:for r TILE_ROWS
    let row$r = (row + $ru) * A_ROW;
//:for c TILE_COLUMNS
    var y$r_$c = 0.0;
//:end
//:end
    let end = min((chunk + 1u) * CHUNK, INNER);
    for (var k = chunk * CHUNK; k < end; k += STEPS) {
//:for s STEPS
        let in_a$s = (k + $su) * A_INNER;
        let in_b$s = (k + $su) * B_INNER + column * B_COLUMN;
//:for r TILE_ROWS
        let a$s_$r = a[row$r + in_a$s];
//:end
//:for c TILE_COLUMNS
        let b$s_$c = b[in_b$s + $cu * B_COLUMN];
//:end
//:end
//:for r TILE_ROWS
//:for c TILE_COLUMNS
//:for s STEPS
        y$r_$c += a$s_$r * b$s_$c;
//:end
//:end
//:end
    }
//:for r TILE_ROWS
//:for g short_column
    if row + $ru < ROWS {
//:end
    let place$r = (row + $ru) * COLUMNS + column;
//:for c TILE_COLUMNS
//:for g short_row
    if column + $cu < COLUMNS {
//:end
//:for z whole
    y[place$r + $cu] = tail(place$r + $cu, column + $cu, y$r_$c);
//:end
//:for z split
    y[chunk * ROWS * COLUMNS + place$r + $cu] = y$r_$c;
//:end
//:for g short_row
    }
//:end
//:end
//:for g short_column
    }
//:end
//:end
}
