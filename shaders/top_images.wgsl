// One thread keeps the list of one unit: for each image of the batch it takes the image's old entry out and puts the
// new one where it belongs, largest first. `state` is [3, UNITS, ROW] words: values (f32 bits), images, positions.

@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> state: array<u32>;

const PLANE = UNITS * ROW;

fn move_entry(from_word: u32, to_word: u32) {
    state[to_word] = state[from_word];
    state[PLANE + to_word] = state[PLANE + from_word];
    state[2u * PLANE + to_word] = state[2u * PLANE + from_word];
}

fn place(word: u32, value: f32, item: u32, position: u32) {
    state[word] = bitcast<u32>(value);
    state[PLANE + word] = item;
    state[2u * PLANE + word] = position;
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let unit = id.x + id.y * groups.x * 64u;
    if unit >= UNITS {
        return;
    }
    let first = unit * ROW;
    for (var i = 0u; i < BATCH; i++) {
        let item = indices[i];
        if item >= ITEMS {
            continue;
        }
        for (var k = 0u; k < KEPT; k++) {
            if state[PLANE + first + k] == item {
                for (var m = k; m + 1u < KEPT; m++) {
                    move_entry(first + m + 1u, first + m);
                }
                place(first + KEPT - 1u, bitcast<f32>(LOWEST_BITS), ITEMS, 0u);
            }
        }
        let value = values[i * UNITS + unit];
        var slot = KEPT;
        while slot > 0u && value > bitcast<f32>(state[first + slot - 1u]) {
            slot--;
        }
        if slot < KEPT {
            for (var m = KEPT - 1u; m > slot; m--) {
                move_entry(first + m - 1u, first + m);
            }
            place(first + slot, value, item, positions[i * UNITS + unit]);
        }
    }
}
