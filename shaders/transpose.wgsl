// One thread copies one element of x [OUTER, ROWS, COLUMNS] to y [OUTER, COLUMNS, ROWS]: that of its number in x
// where it scatters, so that it can go on with what its thread has computed; else that in y, so that another can go on.

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
    let block = i / (ROWS * COLUMNS);
//:for z scatters
    let row = i / COLUMNS % ROWS;
    let column = i % COLUMNS;
    let to = (block * COLUMNS + column) * ROWS + row;
    y[to] = tail(to, to, x[i]);
//:end
//:for z gathers
    let row = i % ROWS;
    let column = i / ROWS % COLUMNS;
    y[i] = tail(i, i, x[(block * ROWS + row) * COLUMNS + column]);
//:end
}
