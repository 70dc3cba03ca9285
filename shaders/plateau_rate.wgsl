// One thread copies the optimizer's settings with the learning rate of this step, notes that rate in the
// step's row of the ring, and at the end of an epoch judges whether its mean loss was an improvement.
// judge: steps per epoch, factor of a drop, patience in epochs, threshold, smallest factor. state: sum of
// losses, best mean, epochs without improvement, factor, epochs seen.

@group(0) @binding(0) var<storage, read> settings: array<f32>;
@group(0) @binding(1) var<storage, read> judge: array<f32>;
@group(0) @binding(2) var<storage, read> losses: array<f32>;
@group(0) @binding(3) var<storage, read> counters: array<u32>;
@group(0) @binding(4) var<storage, read_write> current: array<f32>;
@group(0) @binding(5) var<storage, read_write> ring: array<f32>;
@group(0) @binding(6) var<storage, read_write> state: array<f32>;

@compute @workgroup_size(1)
fn main() {
    for (var i = 1u; i < 8u; i++) {
        current[i] = settings[i];
    }
    // A state that was just cleared has a factor of 0.
    var factor = select(1.0, state[3], state[3] > 0.0);
    current[0] = settings[0] * factor;
    ring[counters[0] % ROWS * 4u + 2u] = current[0];
    var loss = 0.0;
    for (var i = 0u; i < BATCH; i++) {
        loss += losses[i];
    }
    state[0] += loss / f32(BATCH);
    let steps = max(u32(judge[0]), 1u);
    if (counters[0] + 1u) % steps == 0u {
        let mean = state[0] / f32(steps);
        if state[4] == 0.0 || mean < state[1] * (1.0 - judge[3]) {
            state[1] = mean;
            state[2] = 0.0;
        } else {
            state[2] += 1.0;
            if state[2] > judge[2] {
                factor = max(factor * judge[1], judge[4]);
                state[2] = 0.0;
            }
        }
        state[0] = 0.0;
        state[4] += 1.0;
    }
    state[3] = factor;
}
