// Divides one value by the operand that stands at its place, moved away from zero by the f32 with the
// bit pattern EPS_BITS.

fn stage(v: f32, e: f32) -> f32 {
    let eps = bitcast<f32>(EPS_BITS);
    return v / (e + select(eps, -eps, e < 0.0));
}
