// The leaky rectifier, one value at a time. SLOPE_BITS is the slope's f32 bit pattern.

fn stage(v: f32) -> f32 {
    return v * select(1.0, bitcast<f32>(SLOPE_BITS), v <= 0.0);
}
