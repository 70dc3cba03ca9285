// One thread looks up one label of the batch; 0 where the index is past the last item.

@group(0) @binding(0) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= BATCH {
        return;
    }
    let item = indices[i];
    var label = 0u;
    if item < ITEMS {
        label = labels[item];
    }
    y[i] = label;
}
