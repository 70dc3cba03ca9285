// The gradient v times the derivative of the exponential linear unit at e. PARAMETER_BITS is alpha's f32
// bit pattern.

fn stage(v: f32, e: f32) -> f32 {
    let below = bitcast<f32>(PARAMETER_BITS) * exp(min(e, 0.0));
    return v * select(1.0, below, e <= 0.0);
}
