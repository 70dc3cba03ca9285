// What one element gives to the gradient of its channel's slope: the gradient v times the negative part
// of the input e.

fn stage(v: f32, e: f32) -> f32 {
    return v * select(0.0, e, e <= 0.0);
}
