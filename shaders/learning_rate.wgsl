// One thread copies the optimizer's settings with the learning rate of this step, and notes that rate in
// the step's row of the ring. curve: steps of the rise, where it begins, whether it is a cosine; steps of
// the fall, where it ends; steps between two drops, factor of a drop. counters[0]: steps done before.

@group(0) @binding(0) var<storage, read> settings: array<f32>;
@group(0) @binding(1) var<storage, read> curve: array<f32>;
@group(0) @binding(2) var<storage, read> counters: array<u32>;
@group(0) @binding(3) var<storage, read_write> current: array<f32>;
@group(0) @binding(4) var<storage, read_write> ring: array<f32>;

// (1 - cos(pi p)) / 2 for p in 0..1, as the square of a sine's series: exact to rounding everywhere,
// which the built-in cosine is not.
fn half_wave(p: f32) -> f32 {
    let x = 1.5707963 * p;
    let z = x * x;
    let series = 0.0083333333 - z * (0.00019841270 - z * (0.0000027557319 - z * 0.000000025052108));
    let sine = x * (1.0 - z * (0.16666667 - z * series));
    return sine * sine;
}

@compute @workgroup_size(1)
fn main() {
    let step = f32(counters[0]);
    var factor = 1.0;
    if step < curve[0] {
        let part = step / curve[0];
        let risen = select(part, half_wave(part), curve[2] != 0.0);
        factor = curve[1] + (1.0 - curve[1]) * risen;
    } else if curve[3] > 0.0 {
        let part = min((step - curve[0]) / curve[3], 1.0);
        factor = 1.0 - (1.0 - curve[4]) * half_wave(part);
    }
    if curve[5] > 0.0 {
        let drops = u32(floor(step / curve[5]));
        for (var drop = 0u; drop < min(drops, 1000u); drop++) {
            factor *= curve[6];
        }
    }
    for (var i = 1u; i < 8u; i++) {
        current[i] = settings[i];
    }
    current[0] = settings[0] * factor;
    ring[counters[0] % ROWS * 4u + 2u] = current[0];
}
