// The sum of a value and the operand that is spread over it.

fn stage(v: f32, e: f32) -> f32 {
    return v + e;
}
