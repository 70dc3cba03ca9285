// One thread finds the smallest and the largest value of one channel of x [ROWS, CHANNELS].

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let c = id.x + id.y * groups.x * 64u;
    if c >= CHANNELS {
        return;
    }
    var low = x[c];
    var high = x[c];
    for (var row = 1u; row < ROWS; row++) {
        let value = x[row * CHANNELS + c];
        if value < low {
            low = value;
        }
        if value > high {
            high = value;
        }
    }
    y[2u * c] = low;
    y[2u * c + 1u] = high;
}
