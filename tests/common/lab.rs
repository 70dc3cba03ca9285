//! A laboratory that was trained for a moment, and what tests of visualizations ask of it.

use convscope::backend::cpu::Cpu;
use convscope::tensor::Tensor;
use convscope::visualize::{Picture, roughness};
use convscope::web::Lab;
use pollster::block_on;
use serde_json::{Value, json};

/// Trains `lab` for some steps from seed 1.
pub(crate) fn train(lab: &mut Lab<Cpu>, steps: u32) {
    let options = json!({ "steps": steps, "batchSize": 32, "seed": 1 });
    let options = serde_json::from_value(options).unwrap();
    let job = lab.begin_training(options).unwrap();
    let mut now = 0.0;
    while !block_on(lab.advance(job, now)).unwrap().done {
        now += 20.0;
    }
}

/// A laboratory with the first architecture, trained for a moment on the first dataset.
pub(crate) fn trained_lab() -> Lab<Cpu> {
    let mut lab = block_on(Lab::new(Cpu::new(), None)).unwrap();
    train(&mut lab, 150);
    lab
}

/// Runs a visualization to its end.
pub(crate) fn visualize(
    lab: &mut Lab<Cpu>,
    options: Value,
    image: Option<Vec<f32>>,
) -> Vec<Picture> {
    let options = serde_json::from_value(options).unwrap();
    let job = block_on(lab.begin_visualization(options, image)).unwrap();
    let mut now = 0.0;
    loop {
        let slice = block_on(lab.advance(job, now)).unwrap();
        if slice.done {
            return slice.pictures.unwrap();
        }
        now += 10.0;
    }
}

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
