//! A laboratory whose network has learned something, and what methods show of it.

use convscope::backend::cpu::Cpu;
use convscope::visualize::Picture;
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
