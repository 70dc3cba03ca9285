// One thread blends one element of x [ROWS, SIZE] with that of the row as far from the end as its own is from
// the start.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> shares: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ROWS * SIZE {
        return;
    }
    let row = i / SIZE;
    let other = x[(ROWS - 1u - row) * SIZE + i % SIZE];
    y[i] = shares[row] * x[i] + (1.0 - shares[row]) * other;
}
