// For kernels that take runs of rows channel by channel (src/ops/lanes.rs): a workgroup of 64 threads takes a run of BLOCK
// neighboring channels, thread t the channel t % BLOCK of every LANES-th row; BLOCKS workgroups after
// each other take the same run.

var<workgroup> pool: array<vec4<f32>, 64>;

// Channel, run, and which of the run's rows it begins with.
fn place(number: u32, thread: u32) -> vec3<u32> {
    return vec3(number % BLOCKS * BLOCK + thread % BLOCK, number / BLOCKS, thread / BLOCK);
}

// What the threads of a channel have, combined by all of them in the same order.
fn together(own: vec4<f32>, thread: u32) -> vec4<f32> {
    pool[thread] = own;
    workgroupBarrier();
    var all = pool[thread % BLOCK];
    for (var lane = 1u; lane < LANES; lane++) {
        all = combined(all, pool[lane * BLOCK + thread % BLOCK]);
    }
    return all;
}
