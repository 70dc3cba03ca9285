// Number, mean and sum of squared distances of two sets together, for kernels that say `//:use merged_moments`
// (src/program/template.rs); the second is not empty unless the first is not.

fn combined(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    let all = a.x + b.x;
    let share = b.x / all;
    let delta = b.y - a.y;
    return vec4(all, a.y * (a.x / all) + b.y * share, a.z + b.z + delta * delta * (a.x * share), 0.0);
}
