// One thread finds which item of the dataset is row i of this step's batch: a pseudorandom permutation
// of 0..ITEMS per epoch and seed, a Feistel network of 4 rounds over the next even power of two, walked
// until it lands within the items. counters: step, seed.

@group(0) @binding(0) var<storage, read> counters: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

//:use random

fn permuted(start: u32, key: u32) -> u32 {
    let mask = (1u << HALF_BITS) - 1u;
    var x = start;
    loop {
        var left = x >> HALF_BITS;
        var right = x & mask;
        for (var round = 0u; round < 4u; round++) {
            let next = left ^ (hash(right ^ hash(key + round)) & mask);
            left = right;
            right = next;
        }
        x = (left << HALF_BITS) | right;
        if x < ITEMS {
            break;
        }
    }
    return x;
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= BATCH {
        return;
    }
    let step = counters[0];
    let key = hash(counters[1] ^ hash(step / STEPS));
    y[i] = permuted((step % STEPS * BATCH + i) % ITEMS, key);
}
