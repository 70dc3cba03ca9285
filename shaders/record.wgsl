// One thread writes the means of this step's losses and hits into its row of the ring, and counts the
// step.

@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<storage, read> corrects: array<f32>;
@group(0) @binding(2) var<storage, read_write> ring: array<f32>;
@group(0) @binding(3) var<storage, read_write> counters: array<u32>;

@compute @workgroup_size(1)
fn main() {
    var loss = 0.0;
    var hits = 0.0;
    for (var i = 0u; i < BATCH; i++) {
        loss += losses[i];
        hits += corrects[i];
    }
    let row = counters[0] % ROWS * 4u;
    ring[row] = loss / f32(BATCH);
    ring[row + 1u] = hits / f32(BATCH);
    counters[0] += 1u;
}
