// The Gaussian error linear unit of one value: Abramowitz & Stegun 7.1.26.

fn stage(v: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.23164189 * abs(v));
    let polynomial = t
        * (0.2548296 + t * (-0.28449672 + t * (1.4214138 + t * (-1.4531521 + t * 1.0614054))));
    let bell = exp(-0.5 * v * v);
    let tail = 0.5 * polynomial * bell;
    let distribution = select(1.0 - tail, tail, v < 0.0);
    // Some drivers' exp loses NaN, and would hide that a network has diverged.
    let is_nan = (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
    return select(v * distribution, v, is_nan);
}
