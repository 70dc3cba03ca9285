// Passes one element of the gradient v, or cuts it. BY_OUTPUT: where the rectifier's output e has reached its
// ceiling of 6, or is not positive, unless REDIRECTED and v descends; BY_GRADIENT: where v itself is negative.

fn stage(v: f32, e: f32) -> f32 {
    let below = e <= 0.0 && !(REDIRECTED == 1u && v < 0.0);
    let by_output = BY_OUTPUT == 1u && (below || e >= 6.0);
    return select(v, 0.0, by_output || (BY_GRADIENT == 1u && v < 0.0));
}
