//! Attributions and adversarial images of a network that was trained for a moment, asked as the page asks.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/trained.rs"]
mod trained;

use convscope::backend::cpu::Cpu;
use convscope::web::Lab;
use pollster::block_on;
use serde_json::json;

use trained::{trained_lab, visualize};

/// The class that the network predicts, and its probability.
fn says(lab: &Lab<Cpu>, image: &[f32]) -> (usize, f32) {
    let probabilities = block_on(lab.predict(image.to_vec())).unwrap();
    let pairs = probabilities.into_iter().enumerate();
    pairs.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

/// Test images that the network recognizes.
fn recognized(lab: &Lab<Cpu>, count: usize) -> Vec<(Vec<f32>, usize)> {
    let all = (0..200).map(|index| lab.example(index, None).unwrap());
    let found: Vec<_> = all
        .filter(|(image, label)| says(lab, image).0 == *label)
        .take(count)
        .collect();
    assert_eq!(found.len(), count, "the network has learned something");
    found
}

#[test]
fn integrated_gradients_are_complete_to_one_percent() {
    let mut lab = trained_lab();
    for (image, _) in recognized(&lab, 5) {
        let options = json!({ "method": "integrated-gradients" });
        let picture = visualize(&mut lab, options, Some(image)).remove(0);
        let sum: f32 = picture.data.iter().sum();
        let difference: f32 = picture.title.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(
            (sum - difference).abs() <= 0.01 * difference.abs() + 0.005,
            "{}",
            picture.title
        );
    }
}

#[test]
fn pixels_that_count_take_the_class_with_them() {
    let mut lab = trained_lab();
    let images = recognized(&lab, 5);
    for method in ["integrated-gradients", "occlusion", "relevance-propagation"] {
        let [mut own, mut random] = [0.0, 0.0];
        for (image, _) in &images {
            let options = json!({ "method": "deletion-insertion", "attribution": method });
            let pictures = visualize(&mut lab, options, Some(image.clone()));
            let deleted = &pictures[pictures.len() - 2];
            let (first, second) = deleted.data.split_at(deleted.width);
            own += first.iter().sum::<f32>();
            random += second.iter().sum::<f32>();
        }
        assert!(own < random, "{method}: {own}, in random order {random}");
    }
}

#[test]
fn adversarial_images_stay_in_their_box_and_change_what_the_network_says() {
    let mut lab = trained_lab();
    for (image, label) in recognized(&lab, 3) {
        let certainty =
            |lab: &Lab<Cpu>, image: &[f32]| block_on(lab.predict(image.to_vec())).unwrap()[label];
        let before = certainty(&lab, &image);
        for (method, epsilon) in [("fgsm", 0.1), ("pgd", 0.1), ("pgd", 0.3)] {
            let options = json!({ "method": method, "epsilon": epsilon });
            let pictures = visualize(&mut lab, options.clone(), Some(image.clone()));
            assert_eq!(pictures[0].data, image);
            let adversarial = &pictures[2].data;
            for (now, before) in adversarial.iter().zip(&image) {
                assert!((0.0..=1.0).contains(now));
                assert!((now - before).abs() <= epsilon as f32 + 1e-6);
            }
            assert!(certainty(&lab, adversarial) < before, "{method} {epsilon}");
            if epsilon == 0.3 {
                assert_ne!(says(&lab, adversarial).0, label);
            }
            let again = visualize(&mut lab, options, Some(image.clone()));
            assert_eq!(again, pictures, "same seed, same pictures");
        }
        let target = (label + 1) % 10;
        let options = json!({ "method": "pgd", "epsilon": 0.4, "steps": 100, "class": target });
        let pictures = visualize(&mut lab, options, Some(image));
        assert_eq!(
            says(&lab, &pictures[2].data).0,
            target,
            "{}",
            pictures[2].title
        );
    }
}

#[test]
fn noise_is_taken_for_every_class() {
    let mut lab = trained_lab();
    for class in 0..10 {
        let options = json!({ "method": "fooling-image", "class": class });
        let image = visualize(&mut lab, options, None).remove(0);
        let (found, certainty) = says(&lab, &image.data);
        assert!(found == class && certainty > 0.9, "{}", image.title);
    }
}

#[test]
fn a_box_lies_around_the_drawing() {
    let mut lab = trained_lab();
    for (image, _) in recognized(&lab, 5) {
        let options = json!({ "method": "saliency-box" });
        let boxed = visualize(&mut lab, options, Some(image.clone())).remove(0);
        let area = image.len();
        let edge = |at: &usize| boxed.data[*at] != boxed.data[area + at];
        let edges: Vec<usize> = (0..area).filter(edge).collect();
        let rows = edges.iter().map(|at| at / boxed.width);
        let (top, bottom) = (rows.clone().min().unwrap(), rows.max().unwrap());
        assert!(bottom > top, "{}", boxed.title);
        // Some of the drawing is within.
        let within = |at: &usize| (top..=bottom).contains(&(at / boxed.width)) && image[*at] > 0.5;
        assert!((0..area).any(|at| within(&at)), "{}", boxed.title);
    }
}

#[test]
fn a_comparison_can_be_stopped_and_keeps_what_it_has() {
    let mut lab = trained_lab();
    let (image, _) = lab.example(0, None).unwrap();
    let options = serde_json::from_value(json!({ "method": "attributions" })).unwrap();
    let job = block_on(lab.begin_visualization(options, Some(image.clone()))).unwrap();
    let mut fractions = vec![0.0];
    for slice in 0..4 {
        let slice = block_on(lab.advance(job, f64::from(slice) * 40.0)).unwrap();
        assert!(!slice.done && slice.fraction > *fractions.last().unwrap());
        fractions.push(slice.fraction);
    }
    let kept = block_on(lab.finish(job)).unwrap().pictures.unwrap();
    let all = visualize(&mut lab, json!({ "method": "attributions" }), Some(image));
    assert!(!kept.is_empty() && kept.len() < all.len());
    assert_eq!(kept[0], all[0]);
}
