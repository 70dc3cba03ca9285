// The gradient v times the derivative of e times its logistic sigmoid.

fn stage(v: f32, e: f32) -> f32 {
    let small = exp(-abs(e));
    let gate = select(1.0, small, e < 0.0) / (1.0 + small);
    return v * gate * (1.0 + e * (1.0 - gate));
}
