// Swish by straight lines, of one value.

fn stage(v: f32) -> f32 {
    // Some drivers' clamp loses NaN, and would hide that a network has diverged.
    let is_nan = (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
    return select(v * (clamp(v + 3.0, 0.0, 6.0) * (1.0 / 6.0)), v, is_nan);
}
