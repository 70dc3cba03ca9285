// One thread computes, over one chunk of the inner extent, TILE_ROWS rows times TILE_COLUMNS columns of
// the product. The strides say which operand is transposed. Rows and columns past the last read what is
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
    for (var k = chunk * CHUNK; k < end; k++) {
        let in_a = k * A_INNER;
        let in_b = k * B_INNER + column * B_COLUMN;
//:for r TILE_ROWS
        let a$r = a[row$r + in_a];
//:end
//:for c TILE_COLUMNS
        let b$c = b[in_b + $cu * B_COLUMN];
//:for r TILE_ROWS
        y$r_$c += a$r * b$c;
//:end
//:end
    }
//:for r TILE_ROWS
    if row + $ru < ROWS {
        let place = (row + $ru) * COLUMNS + column;
//:for c TILE_COLUMNS
        if column + $cu < COLUMNS {
            let value = y$r_$c;
//:for z whole
            y[place + $cu] = tail(place + $cu, value);
//:end
//:for z split
            y[chunk * ROWS * COLUMNS + place + $cu] = value;
//:end
        }
//:end
    }
//:end
}
