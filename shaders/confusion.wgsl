// One thread owns one row of the matrix: it counts, among the batch's images with its label, which
// class has the largest score (the first of equals), leaving out rows past the last item.

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> matrix: array<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let label = id.x + id.y * groups.x * 64u;
    if label >= CLASSES {
        return;
    }
    for (var i = 0u; i < BATCH; i++) {
        if indices[i] < ITEMS && labels[i] == label {
            var best = 0u;
            for (var c = 1u; c < CLASSES; c++) {
                if logits[i * CLASSES + c] > logits[i * CLASSES + best] {
                    best = c;
                }
            }
            matrix[label * CLASSES + best] += 1u;
        }
    }
}
