// Scales and shifts one value. SCALE_BITS and SHIFT_BITS are f32 bit patterns.

fn stage(v: f32) -> f32 {
    return v * bitcast<f32>(SCALE_BITS) + bitcast<f32>(SHIFT_BITS);
}
