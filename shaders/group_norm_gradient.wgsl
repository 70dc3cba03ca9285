// One workgroup computes the input's gradient of one of the NORM_GROUPS groups of x [images, PIXELS, GROUPS,
// WIDTH]; its threads take every 64th element. EPS_BITS is an f32 bit pattern.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

// The sum of one value of every thread, by halves; all threads of the workgroup must call it.
var<workgroup> partial: array<f32, 64>;

fn total(thread: u32, value: f32) -> f32 {
    workgroupBarrier();
    partial[thread] = value;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if thread < half {
            partial[thread] += partial[thread + half];
        }
    }
    workgroupBarrier();
    return partial[0];
}

// Where element k of the group that begins at first is.
fn at(first: u32, k: u32) -> u32 {
    return first + k / WIDTH * CHANNELS + k % WIDTH;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let g = group.x + group.y * groups.x;
    if g >= NORM_GROUPS {
        return;
    }
    let first = g / GROUPS * PIXELS * CHANNELS + g % GROUPS * WIDTH;
    let count = f32(PIXELS * WIDTH);
    var sum = 0.0;
    var plain = 0.0;
    for (var k = thread; k < PIXELS * WIDTH; k += 64u) {
        sum += x[at(first, k)];
        plain += dy[at(first, k)];
    }
    let mean = total(thread, sum) / count;
    let shift = total(thread, plain) / count;
    var squares = 0.0;
    var weighted = 0.0;
    for (var k = thread; k < PIXELS * WIDTH; k += 64u) {
        let d = x[at(first, k)] - mean;
        squares += d * d;
        weighted += dy[at(first, k)] * d;
    }
    let scale = 1.0 / sqrt(total(thread, squares) / count + bitcast<f32>(EPS_BITS));
    let slope = total(thread, weighted) * scale * scale / count;
    for (var k = thread; k < PIXELS * WIDTH; k += 64u) {
        let d = x[at(first, k)] - mean;
        dx[at(first, k)] = (dy[at(first, k)] - shift - d * slope) * scale;
    }
}
