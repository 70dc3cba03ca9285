// One element of a binary classification loss from its margin. GAMMA_BITS is the bit pattern of the
// exponent that weakens what is already right.
fn stage(v: f32) -> f32 {
    // Told by its bits: on some adapters the exponential of what is not a number is infinity.
    if (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u {
        return v;
    }
    let z = exp(-abs(v));
    let miss = select(z, 1.0, v <= 0.0) / (1.0 + z);
    let loss = max(-v, 0.0) + log(1.0 + z);
    let gamma = bitcast<f32>(GAMMA_BITS);
    return select(exp(gamma * log(miss)), 1.0, gamma == 0.0) * loss;
}
