// The rectifier of one value v that leaves the slope e to negative ones.

fn stage(v: f32, e: f32) -> f32 {
    return v * select(1.0, e, v <= 0.0);
}
