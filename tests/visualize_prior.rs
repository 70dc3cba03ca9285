//! The learned prior: the generator learns to invert the network, its class images are what the network takes for
//! the class and as smooth as images, the slider ends in free pixels, and the same seed gives the same picture.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/measured.rs"]
mod measured;
#[path = "common/trained.rs"]
mod trained;

use convscope::visualize::Picture;
use pollster::block_on;
use serde_json::{Value, json};

use measured::{objective, rough};
use trained::{trained_lab, visualize};

/// Options for a class image of each class (or what `more` says), after so many lessons.
fn with(lessons: usize, more: Value) -> Value {
    let mut all = json!({ "method": "learned-prior", "layer": "conv1", "channel": 0, "lessons": lessons, "seed": 3 });
    for (key, value) in more.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

/// How far the generator's pixels are off, in percent, as the title of the lessons' picture says.
fn off(pictures: &[Picture]) -> f32 {
    let title = pictures[0].title.strip_suffix(" % off").unwrap();
    title.rsplit(' ').next().unwrap().parse().unwrap()
}

fn roughness(picture: &Picture) -> f32 {
    rough(
        &picture.data,
        [picture.channels, picture.height, picture.width],
    )
}

#[test]
fn class_images_are_of_their_class_and_as_smooth_as_images() {
    let mut lab = trained_lab();
    let pictures = visualize(&mut lab, with(400, json!({})), None);
    let (lessons, images) = pictures.split_first().unwrap();
    assert_eq!(images.len(), 10);
    let first = visualize(&mut lab, with(1, json!({ "steps": 1 })), None);
    assert!(
        off(&pictures) < 0.6 * off(&first),
        "{} {}",
        off(&pictures),
        off(&first)
    );
    assert_eq!(lessons.channels, 1);

    let examples = (0..20).map(|i| lab.example(i, Some("train")).unwrap().0);
    let shape = [1, 28, 28];
    let real: Vec<f32> = examples.map(|image| rough(&image, shape)).collect();
    let roughest = real.iter().copied().fold(0.0, f32::max);
    let mut right = 0;
    for (class, image) in images.iter().enumerate() {
        let found = block_on(lab.predict(image.data.clone())).unwrap();
        right += usize::from(found.iter().all(|p| *p <= found[class]));
        assert!(
            roughness(image) < 1.5 * roughest,
            "{}: {}",
            image.title,
            roughness(image)
        );
    }
    assert!(right >= 9, "{right} of 10");
}

#[test]
fn a_unit_is_raised_with_and_without_the_prior_and_seeds_repeat() {
    let mut lab = trained_lab();
    let mut value_of = |prior: f64| {
        let more = json!({ "objective": "unit", "layer": "conv2", "channel": 3, "prior": prior, "steps": 60 });
        let pictures = visualize(&mut lab, with(100, more.clone()), None);
        let again = visualize(&mut lab, with(100, more), None);
        assert_eq!(pictures, again);
        let image = pictures.last().unwrap();
        let maps = block_on(lab.activations("conv2", image.data.clone())).unwrap();
        (objective("unit", &maps, 3), roughness(image))
    };
    let ((strong, smooth), (none, noisy)) = (value_of(1.0), value_of(0.0));
    let gray = vec![0.5; 28 * 28];
    let maps = block_on(lab.activations("conv2", gray)).unwrap();
    let before = objective("unit", &maps, 3);
    assert!(strong > before && none > before, "{strong} {none} {before}");
    assert!(
        smooth < noisy,
        "the prior keeps to images: {smooth}, {noisy}"
    );
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let mut lab = trained_lab();
    let options = with(10, json!({ "objective": "unit", "layer": "input" }));
    let options = serde_json::from_value(options).unwrap();
    let refused = block_on(lab.begin_visualization(options, None)).unwrap_err();
    assert!(
        refused.to_string().contains("behind the input"),
        "{refused}"
    );
}
