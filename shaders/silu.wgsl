// One value times its logistic sigmoid. The exponential is of a negative number, so that it cannot
// overflow.

fn stage(v: f32) -> f32 {
    let small = exp(-abs(v));
    let gate = select(1.0, small, v < 0.0) / (1.0 + small);
    // Some drivers' exp loses NaN, and would hide that a network has diverged.
    let is_nan = (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
    return select(v * gate, v, is_nan);
}
