// One thread unpacks one word, four bytes of one image of the batch, and normalizes each with its channel's scale and
// shift. Rows whose item is past the last are zero. `source` are the items, or what epoch_items.wgsl finds them by.

//:for s SHARDS
@group(0) @binding($s) var<storage, read> words$s: array<u32>;
//:end
@group(0) @binding(SHARDS) var<storage, read> source: array<u32>;
@group(0) @binding(SHARDS + 1u) var<storage, read> scale_shift: array<f32>;
@group(0) @binding(SHARDS + 2u) var<storage, read_write> y: array<f32>;

const WORDS = (SIZE + 3u) / 4u;

//:for z given
fn item_of(row: u32) -> u32 {
    return source[row];
}
//:end

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= BATCH * WORDS {
        return;
    }
    let row = i / WORDS;
    let item = item_of(row);
    let place = item % PER_SHARD * WORDS + i % WORDS;
    var word = 0u;
//:for s SHARDS
    if item < ITEMS && item / PER_SHARD == $su {
        word = words$s[place];
    }
//:end
    let first = i % WORDS * 4u;
//:for b 4
    if first + $bu < SIZE {
        let channel = (first + $bu) % CHANNELS;
        let byte = (word >> ($bu * 8u)) & 255u;
        let value = f32(byte) / 255.0 * scale_shift[channel] + scale_shift[CHANNELS + channel];
        y[row * SIZE + first + $bu] = select(0.0, value, item < ITEMS);
    }
//:end
}
