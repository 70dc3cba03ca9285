// One thread finds the maximum of one window in one channel, for windows that tile the input. NaN is told
// by its bits, because shader compilers may assume that it does not occur.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> switches: array<u32>;

//:use own_windows

fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ROWS * OUT_WIDTH * CHANNELS {
        return;
    }
    let first = first_of(i);
    var best = x[first];
    var found = 0u;
//:for y SIZE_Y
//:for x SIZE_X
    let x$y_$x = x[first + ($yu * WIDTH + $xu) * CHANNELS];
    let wins$y_$x = !is_nan(best) && (x$y_$x > best || is_nan(x$y_$x));
    best = select(best, x$y_$x, wins$y_$x);
    found = select(found, $(y*SIZE_X+x)u, wins$y_$x);
//:end
//:end
    switches[i] = found;
}
