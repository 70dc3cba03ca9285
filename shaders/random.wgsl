// Random numbers of a step and a seed, for kernels that say `//:use random` (src/program/template.rs).

// PCG output function (Jarzynski & Olano 2020, "Hash functions for GPU rendering").
fn hash(value: u32) -> u32 {
    let state = value * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// 32 random bits for this step, seed and index.
fn bits_at(step: u32, seed: u32, index: u32) -> u32 {
    return hash(step ^ hash(seed ^ hash(index)));
}

// Uniform in 0..1, both excluded, for this step, seed and index among the draws of one salt.
fn uniform_at(step: u32, seed: u32, salt: u32, index: u32) -> f32 {
    let bits = bits_at(step, seed, index + salt * 2654435769u);
    return (f32(bits >> 9u) + 0.5) / 8388608.0;
}
