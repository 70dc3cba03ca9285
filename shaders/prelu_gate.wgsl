// Passes one element of the gradient v, or weakens it by its channel's slope e1. BY_OUTPUT: where the
// rectifier's input e0 is not positive, unless REDIRECTED and v descends; BY_GRADIENT: where v itself is
// negative; by both factors where both hold.

fn stage(v: f32, e0: f32, e1: f32) -> f32 {
    let by_output = BY_OUTPUT == 1u && e0 <= 0.0 && !(REDIRECTED == 1u && v < 0.0);
    let by_gradient = BY_GRADIENT == 1u && v < 0.0;
    return v * select(1.0, e1, by_output) * select(1.0, e1, by_gradient);
}
