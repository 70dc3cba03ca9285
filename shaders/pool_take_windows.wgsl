// One thread reads the element of one window that its switch points to, zero where it points out of the window. For windows
// that tile the input.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> switches: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
    let tap = switches[i];
    var place = first;
    var inside = false;
//:for y SIZE_Y
//:for x SIZE_X
    let is$y_$x = tap == $(y*SIZE_X+x)u;
    place = select(place, first + ($yu * WIDTH + $xu) * CHANNELS, is$y_$x);
    inside = inside || is$y_$x;
//:end
//:end
    y[i] = select(0.0, x[place], inside);
}
