// One thread updates one parameter and its two moments. settings: learning rate, unused, coupled weight
// decay, beta1, beta2, epsilon, decoupled weight decay. counters[0]: steps done before.

@group(0) @binding(0) var<storage, read> gradients: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read> counters: array<u32>;
@group(0) @binding(3) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(4) var<storage, read_write> first: array<f32>;
@group(0) @binding(5) var<storage, read_write> second: array<f32>;

// 1 - beta^steps without cancellation: series for the logarithm and the exponential where beta is near
// 1 and the result small.
fn correction(beta: f32, steps: f32) -> f32 {
    let d = 1.0 - beta;
    var logarithm = log(max(beta, 1e-30));
    if d < 0.125 {
        logarithm = -d * (1.0 + d * (0.5 + d * (0.33333333 + d * (0.25 + d * 0.2))));
    }
    let x = steps * logarithm;
    if x > -0.125 {
        return -x * (1.0 + x * (0.5 + x * (0.16666667 + x * (0.041666667 + x * 0.0083333333))));
    }
    return 1.0 - exp(max(x, -80.0));
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= ELEMENTS {
        return;
    }
    let steps = f32(counters[0] + 1u);
    let gradient = gradients[i] + settings[2] * parameters[i];
    let m = settings[3] * first[i] + (1.0 - settings[3]) * gradient;
    let v = settings[4] * second[i] + (1.0 - settings[4]) * gradient * gradient;
    first[i] = m;
    second[i] = v;
    let size = settings[0] / correction(settings[3], steps);
    let spread = sqrt(v) / sqrt(correction(settings[4], steps)) + settings[5];
    parameters[i] = (1.0 - settings[0] * settings[6]) * parameters[i] - size * m / spread;
}
