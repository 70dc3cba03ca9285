// For kernels that take runs of rows channel by channel (src/ops/lanes.rs): each thread has a run of one channel to
// itself.

const LANES = 1u;

// Channel, run, and which of the run's rows it begins with.
fn place(number: u32, thread: u32) -> vec3<u32> {
    let i = number * 64u + thread;
    return vec3(i % CHANNELS, i / CHANNELS, 0u);
}

fn together(own: vec4<f32>, thread: u32) -> vec4<f32> {
    return own;
}
