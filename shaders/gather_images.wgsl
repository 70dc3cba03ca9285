// One thread unpacks one byte of one image of the batch and normalizes it with its channel's scale and
// shift. Rows whose index is past the last item are zero.

//:for s SHARDS
@group(0) @binding($s) var<storage, read> words$s: array<u32>;
//:end
@group(0) @binding(SHARDS) var<storage, read> indices: array<u32>;
@group(0) @binding(SHARDS + 1u) var<storage, read> scale_shift: array<f32>;
@group(0) @binding(SHARDS + 2u) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= BATCH * SIZE {
        return;
    }
    let item = indices[i / SIZE];
    let at = i % SIZE;
    let channel = at % CHANNELS;
    var value = 0.0;
    if item < ITEMS {
        let place = item % PER_SHARD * ((SIZE + 3u) / 4u) + at / 4u;
        var word = 0u;
//:for s SHARDS
        if item / PER_SHARD == $su {
            word = words$s[place];
        }
//:end
        let byte = (word >> (at % 4u * 8u)) & 255u;
        value = f32(byte) / 255.0 * scale_shift[channel] + scale_shift[CHANNELS + channel];
    }
    y[i] = value;
}
