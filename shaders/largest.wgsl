// One workgroup per row of [rows, COLUMNS]; its threads share the row's elements. They seek the bound that
// no more than DROPPED elements are below by halving the row's range, and write 1 where it is reached.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

var<workgroup> lows: array<f32, 64>;
var<workgroup> highs: array<f32, 64>;
var<workgroup> below: atomic<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let first = group.x * COLUMNS;
    var low = 3.4028234e38;
    var high = -3.4028234e38;
    for (var i = thread; i < COLUMNS; i += 64u) {
        let value = x[first + i];
        low = select(low, value, value < low);
        high = select(high, value, value > high);
    }
    lows[thread] = low;
    highs[thread] = high;
    workgroupBarrier();
    for (var i = 0u; i < 64u; i++) {
        low = min(low, lows[i]);
        high = max(high, highs[i]);
    }
    for (var round = 0u; round < HALVINGS; round++) {
        if thread == 0u {
            atomicStore(&below, 0u);
        }
        workgroupBarrier();
        let middle = 0.5 * low + 0.5 * high;
        var count = 0u;
        for (var i = thread; i < COLUMNS; i += 64u) {
            count += select(0u, 1u, x[first + i] < middle);
        }
        atomicAdd(&below, count);
        workgroupBarrier();
        let found = atomicLoad(&below);
        workgroupBarrier();
        if found <= DROPPED {
            low = middle;
        } else {
            high = middle;
        }
    }
    for (var i = thread; i < COLUMNS; i += 64u) {
        y[first + i] = select(0.0, 1.0, x[first + i] >= low);
    }
}
