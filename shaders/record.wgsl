// One thread writes this step's loss and accuracy into its row of the ring.

@group(0) @binding(0) var<storage, read> loss: array<f32>;
@group(0) @binding(1) var<storage, read> accuracy: array<f32>;
@group(0) @binding(2) var<storage, read> counters: array<u32>;
@group(0) @binding(3) var<storage, read_write> ring: array<f32>;

@compute @workgroup_size(1)
fn main() {
    let row = counters[0] % ROWS * 4u;
    ring[row] = loss[0];
    ring[row + 1u] = accuracy[0];
}
