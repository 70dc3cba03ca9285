// A power of one value that is not negative. PARAMETER_BITS is the exponent's f32 bit pattern.

fn stage(v: f32) -> f32 {
    // Some drivers' pow loses NaN, and would hide that a network has diverged.
    let is_nan = (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
    return select(pow(v, bitcast<f32>(PARAMETER_BITS)), v, is_nan);
}
