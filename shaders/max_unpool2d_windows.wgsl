// One thread fills one window of one channel: the gradient where the switch points to, zero elsewhere. For
// windows that tile the input, so that every element belongs to exactly one.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> switches: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

//:use own_windows

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
    let value = dy[i];
    let tap = switches[i];
//:for y SIZE_Y
//:for x SIZE_X
    let at$y_$x = first + ($yu * WIDTH + $xu) * CHANNELS;
    dx[at$y_$x] = tail(at$y_$x, at$y_$x, select(0.0, value, tap == $(y*SIZE_X+x)u));
//:end
//:end
}
