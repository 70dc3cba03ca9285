// One thread counts which of CHUNK of the ELEMENTS of x fall into one of BINS equal bins between range[0] and
// range[1], the upper end included: y [chunks, BINS].

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= (ELEMENTS + CHUNK - 1u) / CHUNK * BINS {
        return;
    }
    let low = range[0];
    let high = range[1];
    let scale = select(0.0, f32(BINS) / (high - low), high > low);
    let begin = i / BINS * CHUNK;
    let end = min(begin + CHUNK, ELEMENTS);
    var count = 0.0;
    for (var k = begin; k < end; k++) {
        let value = x[k];
        if value >= low && value <= high {
            let bin = min(u32((value - low) * scale), BINS - 1u);
            count += select(0.0, 1.0, bin == i % BINS);
        }
    }
    y[i] = count;
}
