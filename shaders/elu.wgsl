// The exponential linear unit of one value. PARAMETER_BITS is alpha's f32 bit pattern.

fn stage(v: f32) -> f32 {
    let below = bitcast<f32>(PARAMETER_BITS) * (exp(min(v, 0.0)) - 1.0);
    // Some drivers' exp loses NaN, and would hide that a network has diverged.
    let is_nan = (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
    return select(select(v, below, v <= 0.0), v, is_nan);
}
