//! Activation maximization by its defaults on trained networks: for nearly every unit of a layer the image excites the
//! unit more than the best image of the dataset, and is no noise.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/measured.rs"]
mod measured;
#[path = "common/trained.rs"]
#[expect(dead_code, reason = "laboratories of its own are made here")]
mod trained;

use convscope::backend::cpu::Cpu;
use convscope::web::Lab;
use convscope::web::messages::Choice;
use pollster::block_on;
use serde_json::{Map, json};

use measured::{objective, rough};
use trained::{train, visualize};

/// Dataset, network, steps of training, and layers; those behind rectifiers, where a unit can be off.
const ROWS: [(&str, &str, u32, &[&str]); 2] = [
    ("pen-digits", "lenet5", 400, &["act4"]),
    ("shapes", "mini-vgg", 60, &["block1_2"]),
];

/// Images of the dataset that are looked at.
const IMAGES: usize = 300;

#[test]
fn nine_units_in_ten_are_excited_more_than_by_any_image() {
    for (dataset, network, steps, shown) in ROWS {
        let choice = |id: &str, options: Map<String, serde_json::Value>| Choice {
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
            let options = json!({
                "method": "activation-maximization", "layer": layer, "channel": 0, "wholeLayer": true,
            });
            let pictures = visualize(&mut lab, options, None);
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
