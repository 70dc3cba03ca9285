// One thread counts one step.

@group(0) @binding(0) var<storage, read_write> counters: array<u32>;

@compute @workgroup_size(1)
fn main() {
    counters[0] += 1u;
}
