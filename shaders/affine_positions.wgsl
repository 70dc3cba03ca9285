// One thread finds where one pixel of an augmented image [IMAGES, HEIGHT, WIDTH] comes from: row and column
// in its source, under a turn, stretch, slant, shift and flip drawn for its image. strengths: shift,
// probability of a flip, whole pixels of shift, angle, logarithm of the scale, slant. counters: step, seed.

@group(0) @binding(0) var<storage, read> strengths: array<f32>;
@group(0) @binding(1) var<storage, read> counters: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec2<f32>>;

//:use random

// In -1..1.
fn both_ways(index: u32) -> f32 {
    return 2.0 * uniform_at(counters[0], counters[1], SALT, index) - 1.0;
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * HEIGHT * WIDTH {
        return;
    }
    let first = i / (HEIGHT * WIDTH) * 8u;
    // Sine and cosine from half the angle, as series: exact to rounding, which the built-in ones are not.
    let half = 0.5 * strengths[3] * both_ways(first);
    let z = half * half;
    let odd = 0.0083333333 - z * (0.00019841270 - z * (0.0000027557319 - z * 0.000000025052108));
    let even = 0.0013888889 - z * (0.000024801587 - z * (0.00000027557319 - z * 0.0000000020876757));
    let s = half * (1.0 - z * (0.16666667 - z * odd));
    let c = 1.0 - z * (0.5 - z * (0.041666667 - z * even));
    let turn = vec2<f32>(2.0 * s * c, 1.0 - 2.0 * s * s);
    let shrink = exp(-strengths[4] * both_ways(first + 1u));
    let slant = strengths[5] * both_ways(first + 2u);
    let mirror = select(1.0, -1.0, uniform_at(counters[0], counters[1], SALT, first + 3u) < strengths[1]);
    let whole = 2.0 * strengths[2] + 1.0;
    let crop = floor(whole * vec2<f32>(uniform_at(counters[0], counters[1], SALT, first + 4u), uniform_at(counters[0], counters[1], SALT, first + 5u))) - strengths[2];
    let shift = strengths[0] * vec2<f32>(both_ways(first + 6u), both_ways(first + 7u)) + crop;
    let center = 0.5 * vec2<f32>(f32(HEIGHT) - 1.0, f32(WIDTH) - 1.0);
    let at = vec2<f32>(f32(i / WIDTH % HEIGHT), f32(i % WIDTH)) - center - shift;
    let slanted = at.y + slant * at.x;
    let row = shrink * (turn.y * at.x - turn.x * slanted);
    let column = shrink * (turn.x * at.x + turn.y * slanted);
    y[i] = vec2<f32>(row, mirror * column) + center;
}
