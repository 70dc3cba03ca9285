// The gradient v times the derivative of the Gaussian error linear unit at e: the normal distribution
// function (Abramowitz & Stegun 7.1.26) and e times the density.

fn stage(v: f32, e: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.23164189 * abs(e));
    let polynomial = t
        * (0.2548296 + t * (-0.28449672 + t * (1.4214138 + t * (-1.4531521 + t * 1.0614054))));
    let bell = exp(-0.5 * e * e);
    let tail = 0.5 * polynomial * bell;
    let distribution = select(1.0 - tail, tail, e < 0.0);
    return v * (distribution + e * 0.3989423 * bell);
}
