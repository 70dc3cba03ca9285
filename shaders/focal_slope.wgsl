// One element of the gradient of a binary classification loss, from the loss's gradient and the margin.
// GAMMA_BITS is the bit pattern of the exponent that weakens what is already right.
fn stage(v: f32, e0: f32) -> f32 {
    let z = exp(-abs(e0));
    let miss = select(z, 1.0, e0 <= 0.0) / (1.0 + z);
    let loss = max(-e0, 0.0) + log(1.0 + z);
    let gamma = bitcast<f32>(GAMMA_BITS);
    let weight = select(exp(gamma * log(miss)), 1.0, gamma == 0.0);
    return -v * weight * (gamma * (1.0 - miss) * loss + miss);
}
