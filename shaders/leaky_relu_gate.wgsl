// Passes one element of the gradient v, or weakens it by the slope. BY_OUTPUT: where the rectifier's
// output e is not positive, unless REDIRECTED and v descends; BY_GRADIENT: where v itself is negative;
// by both factors where both hold. SLOPE_BITS is the slope's f32 bit pattern.

fn stage(v: f32, e: f32) -> f32 {
    let slope = bitcast<f32>(SLOPE_BITS);
    let by_output = BY_OUTPUT == 1u && e <= 0.0 && !(REDIRECTED == 1u && v < 0.0);
    let by_gradient = BY_GRADIENT == 1u && v < 0.0;
    return v * select(1.0, slope, by_output) * select(1.0, slope, by_gradient);
}
