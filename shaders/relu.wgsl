// The rectifier, one value at a time.

fn stage(v: f32) -> f32 {
    return max(v, 0.0);
}
