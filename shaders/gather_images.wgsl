// One thread unpacks one byte of one image of the batch and normalizes it with its channel's scale and
// shift. Rows whose index is past the last item are zero.

@group(0) @binding(0) var<storage, read> words: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> scale_shift: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

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
        let word = words[item * ((SIZE + 3u) / 4u) + at / 4u];
        let byte = (word >> (at % 4u * 8u)) & 255u;
        value = f32(byte) / 255.0 * scale_shift[channel] + scale_shift[CHANNELS + channel];
    }
    y[i] = value;
}
