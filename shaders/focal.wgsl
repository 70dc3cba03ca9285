// One element of a binary classification loss from its margin. GAMMA_BITS is the bit pattern of the
// exponent that weakens what is already right.
fn stage(v: f32) -> f32 {
    let z = exp(-abs(v));
    let miss = select(z, 1.0, v <= 0.0) / (1.0 + z);
    let loss = max(-v, 0.0) + log(1.0 + z);
    let gamma = bitcast<f32>(GAMMA_BITS);
    return select(exp(gamma * log(miss)), 1.0, gamma == 0.0) * loss;
}
