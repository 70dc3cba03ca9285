//! What tests of optimized images measure.

use convscope::tensor::Tensor;
use convscope::visualize::roughness;

/// What activation maximization raises, measured on a layer's activations from outside.
pub(crate) fn objective(name: &str, maps: &Tensor, channel: usize) -> f32 {
    let [height, width] = [maps.shape().dims()[1], maps.shape().dims()[2]];
    let map = &maps.to_vec()[channel * height * width..][..height * width];
    match name {
        "unit" => map[height / 2 * width + width / 2],
        _ => map.iter().sum::<f32>() / map.len() as f32,
    }
}

/// [`roughness`] of an image `[c, h, w]`.
pub(crate) fn rough(image: &[f32], [c, h, w]: [usize; 3]) -> f32 {
    let pixel = |i: usize| image[i % c * h * w + i / c];
    let pixels: Vec<f32> = (0..image.len()).map(pixel).collect();
    roughness(&pixels, [h, w, c])
}
