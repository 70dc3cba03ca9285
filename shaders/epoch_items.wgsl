// Which item of the dataset is row `row` of a step's batch: a pseudorandom permutation of 0..ITEMS per epoch and seed, a
// Feistel network of 4 rounds over the next even power of two, walked until it lands within the items. A
// kernel that begins with it binds as `source` the counters: step, seed.

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

fn item_of(row: u32) -> u32 {
    let step = source[0];
    let key = hash(source[1] ^ hash(step / STEPS));
    return permuted((step % STEPS * BATCH + row) % ITEMS, key);
}
