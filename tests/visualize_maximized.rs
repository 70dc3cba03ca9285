//! Activation maximization by its defaults on trained networks: for nearly every unit of a layer the image excites the
//! unit more than the best image of the dataset, and is no noise; images of classes are classified as theirs.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/measured.rs"]
mod measured;
#[path = "common/trained.rs"]
mod trained;

use convscope::backend::cpu::Cpu;
use convscope::nn::NetworkSpec;
use convscope::visualize::Picture;
use convscope::web::Lab;
use convscope::web::messages::Choice;
use pollster::block_on;
use serde_json::{Map, Value, json};

use measured::{objective, rough};
use trained::{train, trained_lab, visualize};

/// Dataset, network, steps of training, and layers; those behind rectifiers, where a unit can be off.
const ROWS: [(&str, &str, u32, &[&str]); 2] = [
    ("pen-digits", "lenet5", 400, &["act4"]),
    ("shapes", "mini-vgg", 60, &["block1_2"]),
];

/// Images of the dataset that are looked at.
const IMAGES: usize = 300;

/// Activation maximization of every unit of a layer, with these `options`.
fn whole(layer: &str, options: Value) -> Value {
    let mut all = json!({
        "method": "activation-maximization", "layer": layer, "channel": 0, "wholeLayer": true,
    });
    for (key, value) in options.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

fn value_of(lab: &Lab<Cpu>, layer: &str, unit: usize, picture: &Picture) -> f32 {
    let maps = block_on(lab.activations(layer, picture.data.clone())).unwrap();
    objective("unit", &maps, unit)
}

#[test]
fn nine_units_in_ten_are_excited_more_than_by_any_image() {
    for (dataset, network, steps, shown) in ROWS {
        let choice = |id: &str, options: Map<String, Value>| Choice {
            id: id.to_owned(),
            options,
        };
        let mut lab = block_on(Lab::new(Cpu::new(), None)).unwrap();
        let options = json!({ "train": 2000, "test": IMAGES });
        let options = options.as_object().unwrap().clone();
        block_on(lab.set_dataset(&choice(dataset, options))).unwrap();
        block_on(lab.set_network(choice(network, Map::new()))).unwrap();
        train(&mut lab, steps);
        let layers = lab.network().layers;
        let shape = layers[0].shape;
        let images: Vec<Vec<f32>> = (0..IMAGES)
            .map(|index| lab.example(index, None).unwrap().0)
            .collect();
        let usual = images.iter().map(|image| rough(image, shape)).sum::<f32>() / IMAGES as f32;
        for layer in shown {
            let info = layers.iter().find(|info| info.id == *layer).unwrap();
            let units = info.shape[0];
            let values = |lab: &Lab<Cpu>, image: &Vec<f32>| -> Vec<f32> {
                let maps = block_on(lab.activations(layer, image.clone())).unwrap();
                (0..units)
                    .map(|unit| objective("unit", &maps, unit))
                    .collect()
            };
            let mut best = vec![f32::NEG_INFINITY; units];
            for image in &images {
                let values = values(&lab, image);
                best.iter_mut()
                    .zip(values)
                    .for_each(|(best, value)| *best = best.max(value));
            }
            let pictures = visualize(&mut lab, whole(layer, json!({})), None);
            assert_eq!(pictures.len(), units);
            let (mut higher, mut rougher) = (0, 0);
            for (unit, picture) in pictures.iter().enumerate() {
                let found = values(&lab, &picture.data)[unit];
                // A unit that no image excites has nothing that could be found.
                higher += usize::from(found > best[unit] || found == 0.0 && best[unit] == 0.0);
                rougher += usize::from(rough(&picture.data, shape) > (4.0 * usual).min(2.0));
            }
            let place =
                format!("{layer} of {network}: {higher} of {units} higher, {rougher} rough");
            eprintln!("{place}");
            assert!(10 * higher >= 9 * units, "{place}");
            // A unit that sees a corner of the image leaves the rest as it was.
            let sees_half = 2 * info.receptive_field >= shape[1];
            assert!(!sees_half || 10 * rougher <= units, "{place}");
        }
    }
}

/// A network with batch norm and a shortcut, in color, small enough for a test, trained for so many steps.
fn color_lab(steps: u32) -> Lab<Cpu> {
    let mut lab = block_on(Lab::new(Cpu::new(), None)).unwrap();
    let mut options = Map::new();
    options.insert("train".into(), json!(1000));
    let id = "shapes".to_owned();
    block_on(lab.set_dataset(&Choice { id, options })).unwrap();
    let spec = json!({ "name": "small", "input": [3, 32, 32], "classes": 10, "nodes": [
        { "id": "stem", "kind": "conv_block", "out_channels": 8, "stride": 2 },
        { "id": "block", "kind": "residual", "out_channels": 16, "stride": 2 },
        { "kind": "global_avg_pool2d" },
        { "kind": "dense", "units": 10 },
    ] });
    let spec = NetworkSpec::from_json(&spec.to_string()).unwrap();
    block_on(lab.set_network_spec(spec)).unwrap();
    train(&mut lab, steps);
    lab
}

#[test]
fn units_of_a_batch_normalized_residual_network_in_color_have_images() {
    let mut lab = color_lab(150);
    let images: Vec<Vec<f32>> = (0..100)
        .map(|i| lab.example(i, Some("train")).unwrap().0)
        .collect();
    let shape = lab.dataset().shape;
    let usual = images.iter().map(|image| rough(image, shape)).sum::<f32>() / 100.0;
    let layers = lab.network().layers;
    let last = layers.iter().rfind(|layer| layer.kind == "relu").unwrap();
    let pictures = visualize(&mut lab, whole(&last.id, json!({ "steps": 64 })), None);
    let maps: Vec<_> = images
        .iter()
        .map(|image| block_on(lab.activations(&last.id, image.clone())).unwrap())
        .collect();
    let mut higher = 0;
    for (unit, picture) in pictures.iter().enumerate() {
        let best = maps
            .iter()
            .map(|maps| objective("unit", maps, unit))
            .fold(0.0, f32::max);
        higher += usize::from(value_of(&lab, &last.id, unit, picture) > best);
        let found = rough(&picture.data, shape);
        assert!(
            found < (6.0 * usual).clamp(0.5, 2.0),
            "unit {unit}: {found}, images {usual}"
        );
    }
    assert!(
        10 * higher >= 9 * pictures.len(),
        "{higher} of {}",
        pictures.len()
    );
}

#[test]
fn an_image_that_was_moved_settles_in_one_place() {
    let mut lab = trained_lab();
    let layers = lab.network().layers;
    let layer = layers.iter().rfind(|layer| layer.kind == "conv2d").unwrap();
    let mut sum = |options: Value| -> f32 {
        let pictures = visualize(&mut lab, whole(&layer.id, options), None);
        let each = pictures.iter().enumerate();
        each.map(|(unit, picture)| value_of(&lab, &layer.id, unit, picture))
            .sum()
    };
    let moved = sum(json!({}));
    let still = sum(json!({ "jitter": 0, "rotate": 0, "scale": 1 }));
    // Moved to the end it would be 0.69 of it.
    assert!(moved > 0.75 * still, "{moved}; {still} if never moved");
}

#[test]
fn a_class_is_raised_above_the_others() {
    let mut lab = color_lab(20);
    let classes = lab.dataset().classes.len();
    let mut right = |options: Value| {
        let pictures = visualize(&mut lab, options, None);
        let each = pictures.iter().enumerate();
        each.filter(|(class, picture)| {
            let found = block_on(lab.predict(picture.data.clone())).unwrap();
            found.iter().all(|p| *p <= found[*class])
        })
        .count()
    };
    assert_eq!(right(json!({ "method": "class-image" })), classes);
    let alone = right(json!({ "method": "class-image", "objective": "class score" }));
    assert!(alone < classes, "the score alone was enough");
}
