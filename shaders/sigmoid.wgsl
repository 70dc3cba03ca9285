// The logistic sigmoid of one value. The exponential is of a negative number, so that it cannot
// overflow.

fn stage(v: f32) -> f32 {
    let e = exp(-abs(v));
    // Some drivers' exp loses NaN, and would hide that a network has diverged.
    let is_nan = (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
    return select(select(1.0, e, v < 0.0) / (1.0 + e), v, is_nan);
}
