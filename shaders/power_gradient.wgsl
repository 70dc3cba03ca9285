// The gradient v times the derivative of a power of e. PARAMETER_BITS is the exponent's f32 bit pattern.

fn stage(v: f32, e: f32) -> f32 {
    let exponent = bitcast<f32>(PARAMETER_BITS);
    return v * exponent * pow(e, exponent - 1.0);
}
