//! What the methods do to a trained network, asked as the page asks: an optimized image excites its unit
//! more than any image of the dataset, nothing changes the network, and bad requests get a sentence.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/measured.rs"]
mod measured;
#[path = "common/trained.rs"]
mod trained;

use convscope::backend::cpu::Cpu;
use convscope::field::FieldKind;
use convscope::tensor::Tensor;
use convscope::visualize::VISUALIZATIONS;
use convscope::web::Lab;
use pollster::block_on;
use serde_json::{Value, json};

use measured::{objective, rough};
use trained::{trained_lab, visualize};

#[test]
fn optimized_images_excite_their_units_more_than_any_image_of_the_dataset() {
    let mut lab = trained_lab();
    let layers = lab.network().layers;
    // Before the rectifiers and behind them, where an image that excites nothing has no gradient.
    let shown = layers
        .iter()
        .filter(|layer| layer.kind == "conv2d" || layer.kind == "relu" && layer.shape[1] > 1);
    let images: Vec<Vec<f32>> = (0..300)
        .map(|index| lab.example(index, Some("train")).unwrap().0)
        .collect();
    let shape = layers[0].shape;
    let usual = images.iter().map(|image| rough(image, shape)).sum::<f32>() / 300.0;
    for layer in shown {
        // A unit that sees a corner of the image leaves the rest as it was.
        let most = match 2 * layer.receptive_field >= shape[1] {
            true => (4.0 * usual).min(2.0),
            false => 3.0,
        };
        let layer = &layer.id;
        let activations =
            |image: &Vec<f32>| block_on(lab.activations(layer, image.clone())).unwrap();
        let maps: Vec<Tensor> = images.iter().map(activations).collect();
        for (name, channel) in [("unit", 0), ("unit", 3), ("channel", 0), ("channel", 3)] {
            let best = maps
                .iter()
                .map(|map| objective(name, map, channel))
                .fold(f32::NEG_INFINITY, f32::max);
            let options = json!({
                "method": "activation-maximization", "layer": layer, "channel": channel,
                "objective": name, "steps": 128,
            });
            let image = visualize(&mut lab, options.clone(), None)[0].data.clone();
            assert!(image.iter().all(|x| (0.0..=1.0).contains(x)));
            // White noise has a roughness of 4.
            let found = rough(&image, shape);
            assert!(
                found < most,
                "{layer} unit {channel}: {found}, images {usual}"
            );
            let maps = block_on(lab.activations(layer, image.clone())).unwrap();
            let found = objective(name, &maps, channel);
            assert!(
                found > best,
                "{name} of {layer} unit {channel}: {found}, best image {best}"
            );
            let again = visualize(&mut lab, options, None);
            assert_eq!(again[0].data, image, "same seed, same picture");
        }
    }
}

#[test]
fn a_layers_images_come_in_one_batch_and_each_excites_its_own_unit() {
    let mut lab = trained_lab();
    let layers = lab.network().layers;
    let layer = layers.iter().rfind(|layer| layer.kind == "conv2d").unwrap();
    let options = json!({
        "method": "activation-maximization", "layer": layer.id, "channel": 0, "wholeLayer": true,
        "steps": 64,
    });
    let pictures = visualize(&mut lab, options, None);
    assert_eq!(pictures.len(), layer.shape[0]);
    let images: Vec<Vec<f32>> = pictures.iter().map(|p| p.data.clone()).collect();
    let maps: Vec<Tensor> = images
        .iter()
        .map(|image| block_on(lab.activations(&layer.id, image.clone())).unwrap())
        .collect();
    for unit in 0..images.len() {
        let activations = maps.iter().map(|maps| objective("unit", maps, unit));
        let best = activations
            .enumerate()
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .unwrap();
        assert_eq!(best.0, unit, "unit {unit} is excited most by its own image");
    }
}

#[test]
fn visualizing_never_changes_the_network() {
    let mut lab = trained_lab();
    let before = block_on(lab.parameters()).unwrap();
    let (image, _) = lab.example(0, None).unwrap();
    let layers = lab.network().layers;
    for method in VISUALIZATIONS {
        for layer in &layers {
            let mut options = json!({ "method": method.id(), "layer": layer.id, "channel": 0 });
            let fields = method.fields();
            if let Some(field) = fields.iter().find(|field| field.name == "steps")
                && let FieldKind::Integer { min, .. } = field.kind
            {
                options["steps"] = json!(min.max(2.0));
            }
            let options = serde_json::from_value(options).unwrap();
            match block_on(lab.begin_visualization(options, Some(image.clone()))) {
                Ok(job) => {
                    let mut now = 0.0;
                    let mut slice = block_on(lab.advance(job, now)).unwrap();
                    // A method may have to measure before it has anything to show.
                    while !slice.done && slice.pictures.as_ref().unwrap().is_empty() {
                        now += 20.0;
                        slice = block_on(lab.advance(job, now)).unwrap();
                    }
                    if !slice.done {
                        slice = block_on(lab.finish(job)).unwrap();
                    }
                    let pictures = slice.pictures.unwrap();
                    assert!(!pictures.is_empty(), "{} of {}", method.id(), layer.id);
                }
                // Where a method does not apply it says so, naming the layer.
                Err(refusal) => {
                    assert!(refusal.to_string().contains(&layer.id), "{refusal}");
                }
            }
        }
    }
    assert_eq!(block_on(lab.parameters()).unwrap(), before);
}

#[test]
fn bad_requests_are_refused_with_a_sentence() {
    let mut lab = block_on(Lab::new(Cpu::new(), None)).unwrap();
    let layer = lab.network().layers[1].id.clone();
    let image = lab.example(0, None).unwrap().0;
    let mut refuse = |options: Value, image: Option<Vec<f32>>| {
        let options = serde_json::from_value(options).unwrap();
        block_on(lab.begin_visualization(options, image))
            .unwrap_err()
            .to_string()
    };
    let short = Some(vec![0.0; 3]);
    for (options, image, sentence) in [
        (
            json!({ "method": "magic" }),
            None,
            "unknown visualization \"magic\"; known: ",
        ),
        (
            json!({ "method": "deconvnet" }),
            None,
            "deconvnet: expected a layer, found none",
        ),
        (
            json!({ "method": "deconvnet", "layer": "nowhere", "channel": 0 }),
            None,
            "unknown layer \"nowhere\"; known: input, ",
        ),
        (
            json!({ "method": "deconvnet", "layer": layer, "channel": 99 }),
            Some(image),
            "channel of ",
        ),
        (
            json!({ "method": "deconvnet", "layer": layer, "channel": 0 }),
            short,
            "image: expected 1x28x28 = 784 values, found 3",
        ),
        (
            json!({ "method": "activation-maximization", "layer": layer, "channel": 0, "pace": 1 }),
            None,
            "unknown field \"activation-maximization.pace\"; known: objective, ",
        ),
    ] {
        let found = refuse(options, image);
        assert!(found.starts_with(sentence), "{found}");
    }
}

/// The list that the device keeps is what looking at every image by itself gives.
#[test]
fn the_top_nine_are_the_images_that_excite_the_unit_most() {
    let mut lab = trained_lab();
    let n = lab.dataset().test;
    let images: Vec<(Vec<f32>, usize)> = (0..n)
        .map(|index| lab.example(index, Some("test")).unwrap())
        .collect();
    for (layer, unit) in [("conv2", 3), ("fc1", 7)] {
        let strongest = |image: &Vec<f32>| {
            let maps = block_on(lab.activations(layer, image.clone())).unwrap();
            let [_, height, width] = maps.shape().dims().try_into().unwrap();
            let map = &maps.to_vec()[unit * height * width..][..height * width];
            map.iter().copied().fold(f32::NEG_INFINITY, f32::max)
        };
        let mut ranked: Vec<(f32, &(Vec<f32>, usize))> = images
            .iter()
            .map(|pair| (strongest(&pair.0), pair))
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let options = json!({ "method": "top-patches", "layer": layer, "channel": unit });
        let pictures = visualize(&mut lab, options, None);
        let [patches, back] = &pictures[..] else {
            panic!("{} pictures", pictures.len())
        };
        let labels: Vec<String> = ranked[..9]
            .iter()
            .map(|(_, pair)| pair.1.to_string())
            .collect();
        let (most, least) = (ranked[0].0, ranked[8].0);
        let expected = format!(
            "{layer} unit {unit}: top 9 of {n} test images · activation {most:.2} to {least:.2} · classes {}",
            labels.join(", ")
        );
        assert_eq!(patches.title, expected);
        assert_eq!([back.width, back.height], [patches.width, patches.height]);
        assert!(back.signed && back.data.iter().any(|x| *x != 0.0));
        if layer == "fc1" {
            // It sees the whole image: the first tile is the best one.
            let best = &ranked[0].1.0;
            for (at, wanted) in best.iter().enumerate() {
                let found = patches.data[at / 28 * patches.width + at % 28];
                assert!(
                    (found - wanted).abs() < 1e-5,
                    "pixel {at}: {found}, not {wanted}"
                );
            }
        }
    }
}

#[test]
fn features_of_many_images_are_the_activations_of_each() {
    let lab = trained_lab();
    let layers = lab.network().layers;
    // More than a batch, in no order.
    let indices: Vec<u32> = (0..70).map(|i| (i * 37) % 100).collect();
    for layer in &layers {
        let features = block_on(lab.features(&layer.id, &indices, None)).unwrap();
        let [c, h, w] = layer.shape;
        let whole = c * h * w <= 256;
        let width = if whole { c * h * w } else { c };
        assert_eq!(features.shape().dims(), [70, width], "{}", layer.id);
        if layer.inputs.is_empty() {
            continue;
        }
        let features = features.to_vec();
        for at in [0, 63, 69] {
            let (image, _) = lab.example(indices[at] as usize, None).unwrap();
            let maps = block_on(lab.activations(&layer.id, image)).unwrap();
            let (maps, area) = (maps.to_vec(), h * w);
            for (i, found) in features[at * width..][..width].iter().enumerate() {
                let wanted = match whole {
                    true => maps[i % c * area + i / c],
                    false => maps[i * area..][..area].iter().sum::<f32>() / area as f32,
                };
                let place = format!("{} image {at} feature {i}", layer.id);
                assert!(
                    (found - wanted).abs() < 1e-4 * wanted.abs().max(1.0),
                    "{place}"
                );
            }
        }
    }
    for (indices, split) in [(&[100_000][..], None), (&[], None), (&[0], Some("no"))] {
        block_on(lab.features(&layers[1].id, indices, split)).unwrap_err();
    }
}
