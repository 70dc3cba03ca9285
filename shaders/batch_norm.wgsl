// Normalizes one value by its channel's statistics. EPS_BITS is an f32 bit pattern.

fn stage(v: f32, mean: f32, variance: f32, gamma: f32, beta: f32) -> f32 {
    return (v - mean) * (gamma / sqrt(variance + bitcast<f32>(EPS_BITS))) + beta;
}
