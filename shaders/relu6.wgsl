// The rectifier of one value, cut at 6; NaN becomes 0.

fn stage(v: f32) -> f32 {
    return select(0.0, min(v, 6.0), v > 0.0);
}
