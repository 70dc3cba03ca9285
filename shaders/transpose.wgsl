// One thread writes one element of y [OUTER, COLUMNS, ROWS] from x [OUTER, ROWS, COLUMNS].

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= OUTER * ROWS * COLUMNS {
        return;
    }
    let row = i % ROWS;
    let column = i / ROWS % COLUMNS;
    y[i] = x[(i / (ROWS * COLUMNS) * ROWS + row) * COLUMNS + column];
}
