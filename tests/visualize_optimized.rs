//! Optimized images in every combination of their parts: each objective, parameterization, movement,
//! regularizer and optimizer does what it says to a trained network, and what goes wrong is said in words.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/measured.rs"]
mod measured;
#[path = "common/trained.rs"]
mod trained;

use convscope::backend::cpu::Cpu;
use convscope::visualize::{Picture, find_visualization};
use convscope::web::Lab;
use pollster::block_on;
use serde_json::{Value, json};

use measured::{objective, rough};
use trained::{train, trained_lab, visualize};

const METHOD: &str = "activation-maximization";

/// `options` of the method for a layer's channel.
fn with(layer: &str, channel: usize, options: Value) -> Value {
    let mut all = json!({ "method": METHOD, "layer": layer, "channel": channel, "steps": 64 });
    for (key, value) in options.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

/// The last convolution of `lab`.
fn last_kernels(lab: &Lab<Cpu>) -> (String, [usize; 3]) {
    let layers = lab.network().layers;
    let layer = layers.iter().rfind(|layer| layer.kind == "conv2d").unwrap();
    (layer.id.clone(), layer.shape)
}

/// Index of the largest.
fn argmax(values: &[f32]) -> usize {
    let each = values.iter().enumerate();
    each.max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap().0
}

fn value_of(lab: &Lab<Cpu>, layer: &str, unit: usize, picture: &Picture) -> f32 {
    let maps = block_on(lab.activations(layer, picture.data.clone())).unwrap();
    objective("unit", &maps, unit)
}

#[test]
fn every_choice_of_every_part_raises_the_unit_and_repeats_itself() {
    let mut lab = trained_lab();
    let (layer, _) = last_kernels(&lab);
    let mut choices = vec![json!({ "blur": 0.7, "parameterization": "pixel" })];
    for key in ["smallNorm", "smallContribution"] {
        choices.push(json!({ key: 50, "parameterization": "pixel" }));
    }
    choices.extend([json!({ "l2": 0.1 }), json!({ "totalVariation": 0.1 })]);
    choices.extend([
        json!({ "pad": true }),
        json!({ "jitter": 0, "rotate": 0, "scale": 1 }),
    ]);
    let method = find_visualization(METHOD).unwrap();
    for field in method.fields() {
        let convscope::field::FieldKind::Choice { options, .. } = &field.kind else {
            continue;
        };
        if ["parameterization", "optimizer", "start"].contains(&field.name.as_str()) {
            choices.extend(
                options
                    .iter()
                    .map(|option| json!({ field.name.clone(): option })),
            );
        }
    }
    let start = lab.example(0, None).unwrap().0;
    for choice in choices {
        let options = with(&layer, 1, choice.clone());
        let picture = &visualize(&mut lab, options.clone(), Some(start.clone()))[0];
        assert!(
            picture.data.iter().all(|x| (0.0..=1.0).contains(x)),
            "{choice}"
        );
        let mut first = options.clone();
        first["steps"] = json!(1);
        let first = &visualize(&mut lab, first, Some(start.clone()))[0];
        let [first, found] = [first, picture].map(|image| value_of(&lab, &layer, 1, image));
        assert!(found > first, "{choice}: {found}, after one step {first}");
        let again = &visualize(&mut lab, options, Some(start.clone()))[0];
        assert_eq!(again.data, picture.data, "{choice}");
    }
}

#[test]
fn touches_do_what_they_say_and_only_to_pixels() {
    let mut lab = trained_lab();
    let (layer, _) = last_kernels(&lab);
    let shape = lab.dataset().shape;
    let still = |options: Value| {
        let mut all = with(
            &layer,
            2,
            json!({ "jitter": 0, "rotate": 0, "scale": 1, "start": "mean" }),
        );
        all["parameterization"] = json!("pixel");
        for (key, value) in options.as_object().unwrap() {
            all[key] = value.clone();
        }
        all
    };
    let plain = visualize(&mut lab, still(json!({})), None).remove(0).data;
    let blurred = still(json!({ "blur": 1.0, "blurEvery": 2 }));
    let blurred = visualize(&mut lab, blurred, None).remove(0).data;
    let (rougher, smoother) = (rough(&plain, shape), rough(&blurred, shape));
    assert!(
        smoother < 0.9 * rougher,
        "{smoother} with blur, {rougher} without"
    );
    let smooth = visualize(&mut lab, still(json!({ "totalVariation": 3.0 })), None)
        .remove(0)
        .data;
    let smooth = rough(&smooth, shape);
    assert!(
        smooth < 0.9 * rougher,
        "{smooth} with total variation, {rougher} without"
    );
    for key in ["smallNorm", "smallContribution"] {
        let cut = visualize(&mut lab, still(json!({ key: 60 })), None)
            .remove(0)
            .data;
        // What is cut is the mean color, the most frequent value by far.
        let at_mean = |image: &[f32]| {
            let mut sorted = image.to_vec();
            sorted.sort_by(f32::total_cmp);
            let runs = sorted.chunk_by(|a, b| a == b).map(<[f32]>::len);
            runs.max().unwrap() as f32 / image.len() as f32
        };
        assert!(at_mean(&cut) > 0.5, "{key}: {}", at_mean(&cut));
    }
    let refused = with(&layer, 0, json!({ "blur": 1 }));
    let refused = serde_json::from_value(refused).unwrap();
    let refusal = block_on(lab.begin_visualization(refused, None)).unwrap_err();
    let expected = "blur: expected an image that is optimized pixel by pixel, found fourier";
    assert_eq!(refusal.to_string(), expected);
}

#[test]
fn ends_combinations_and_several_images_are_what_their_titles_say() {
    let mut lab = trained_lab();
    let (layer, _) = last_kernels(&lab);
    let both = visualize(&mut lab, with(&layer, 0, json!({ "end": "both" })), None);
    let [high, low] = [0, 1].map(|i| value_of(&lab, &layer, 0, &both[i]));
    assert!(high > low, "{high}, {low}");
    assert!(
        both[1]
            .title
            .starts_with(&format!("{layer} unit 0, negative · activation -"))
    );
    let way = json!({ "combine": "interpolated", "other": 1, "images": 3 });
    let way = visualize(&mut lab, with(&layer, 0, way), None);
    let along: Vec<_> = way
        .iter()
        .map(|picture| value_of(&lab, &layer, 1, picture))
        .collect();
    assert!(along[0] < along[1] && along[1] < along[2], "{along:?}");
    let joint = json!({ "combine": "joint", "other": 1 });
    let joint = visualize(&mut lab, with(&layer, 0, joint), None);
    assert!(value_of(&lab, &layer, 1, &joint[0]) > along[0]);

    // Images of one unit differ more with a weight on it.
    let mut apart = |diversity: f64| {
        let options = json!({ "images": 2, "diversity": diversity, "objective": "channel" });
        let two = visualize(&mut lab, with(&layer, 0, options), None);
        let means = |picture: &Picture| {
            let maps = block_on(lab.activations(&layer, picture.data.clone())).unwrap();
            (0..maps.shape().dims()[0])
                .map(|unit| objective("channel", &maps, unit))
                .collect::<Vec<_>>()
        };
        let (a, b) = (means(&two[0]), means(&two[1]));
        a.iter()
            .zip(&b)
            .map(|(x, y)| (x - y) * (x - y))
            .sum::<f32>()
    };
    let (without, with_weight) = (apart(0.0), apart(100.0));
    assert!(
        with_weight > 2.0 * without,
        "{with_weight} with, {without} without"
    );
}

#[test]
fn a_wide_layer_comes_in_several_batches_each_picture_with_its_unit() {
    let mut lab = trained_lab();
    let layers = lab.network().layers;
    let wide = layers
        .iter()
        .find(|layer| layer.shape[0] > 64 && layer.kind == "dense")
        .unwrap();
    let options = with(&wide.id, 0, json!({ "wholeLayer": true, "steps": 40 }));
    let pictures = visualize(&mut lab, options, None);
    assert_eq!(pictures.len(), wide.shape[0]);
    for (unit, picture) in pictures.iter().enumerate() {
        assert!(
            picture
                .title
                .starts_with(&format!("{} unit {unit} ·", wide.id))
        );
    }
    for unit in [0, 63, 64, 100] {
        let found = value_of(&lab, &wide.id, unit, &pictures[unit]);
        let other = value_of(&lab, &wide.id, unit, &pictures[(unit + 7) % pictures.len()]);
        assert!(
            found > other,
            "unit {unit}: {found}, another's image {other}"
        );
    }
}

#[test]
fn images_of_classes_are_classified_as_theirs() {
    let mut lab = trained_lab();
    let classes = lab.dataset().classes.len();
    let pictures = visualize(
        &mut lab,
        json!({ "method": "class-image", "steps": 64 }),
        None,
    );
    assert_eq!(pictures.len(), classes);
    for (class, picture) in pictures.iter().enumerate() {
        let found = block_on(lab.predict(picture.data.clone())).unwrap();
        assert_eq!(argmax(&found), class, "{found:?}");
    }
    for objective in [
        "class score",
        "class probability",
        "class score + probability",
    ] {
        let options = with("input", 0, json!({ "objective": objective, "class": 3 }));
        let picture = visualize(&mut lab, options, None).remove(0);
        let found = block_on(lab.predict(picture.data)).unwrap();
        assert_eq!(argmax(&found), 3, "{objective}: {found:?}");
    }
}

#[test]
fn an_image_comes_back_from_an_early_layer_and_exaggerated() {
    let mut lab = trained_lab();
    let layer = lab.network().layers[1].id.clone();
    let image = lab.example(1, None).unwrap().0;
    let options = json!({ "method": "feature-inversion", "layer": layer, "steps": 128 });
    let picture = visualize(&mut lab, options, Some(image.clone())).remove(0);
    let apart = |a: &[f32], b: &[f32]| {
        let squares = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y));
        squares.sum::<f32>() / a.len() as f32
    };
    let other = lab.example(2, None).unwrap().0;
    let (found, usual) = (apart(&picture.data, &image), apart(&other, &image));
    assert!(found < 0.3 * usual, "{found}; two images are {usual} apart");

    let size = |lab: &Lab<Cpu>, image: &[f32]| {
        let maps = block_on(lab.activations(&layer, image.to_vec())).unwrap();
        maps.to_vec().iter().map(|x| x * x).sum::<f32>()
    };
    let before = size(&lab, &image);
    let options = json!({ "method": "caricature", "layer": layer, "factor": 3, "steps": 64 });
    let exaggerated = visualize(&mut lab, options, Some(image)).remove(0);
    assert!(size(&lab, &exaggerated.data) > before);
}

#[test]
fn live_images_go_on_while_the_network_trains_until_they_are_stopped() {
    let mut lab = trained_lab();
    let (layer, _) = last_kernels(&lab);
    let live = with(&layer, 0, json!({ "live": true, "steps": 1 }));
    let live = serde_json::from_value(live).unwrap();
    let live = block_on(lab.begin_visualization(live, None)).unwrap();
    let training = serde_json::from_value(json!({ "steps": 60, "batchSize": 16 })).unwrap();
    let training = lab.begin_training(training).unwrap();
    let (mut now, mut pictures) = (0.0, Vec::new());
    loop {
        let slice = block_on(lab.advance(live, now)).unwrap();
        assert!(
            !slice.done && slice.background,
            "it has no end, and rests beside training"
        );
        pictures.push(slice.pictures.unwrap().remove(0).data);
        now += 20.0;
        if block_on(lab.advance(training, now)).unwrap().done {
            break;
        }
        now += 20.0;
    }
    assert!(pictures.len() > 2, "{} pictures", pictures.len());
    assert_ne!(pictures.first(), pictures.last());
    let stopped = block_on(lab.finish(live)).unwrap().pictures.unwrap();
    assert_eq!(stopped.len(), 1);
}

#[test]
fn what_goes_wrong_is_said() {
    let mut lab = block_on(Lab::new(Cpu::new(), None)).unwrap();
    let (layer, _) = last_kernels(&lab);
    let note = |lab: &mut Lab<Cpu>, layer: &str, options: Value| {
        let picture = visualize(lab, with(layer, 0, options), None).remove(0);
        picture.note.unwrap_or_default()
    };
    assert!(note(&mut lab, &layer, json!({})).starts_with("This network has not been trained"));
    train(&mut lab, 100);
    assert_eq!(note(&mut lab, &layer, json!({})), "");
    let flat = note(&mut lab, &layer, json!({ "l2": 1000, "steps": 256 }));
    assert!(flat.starts_with("Flat"), "{flat}");
    let noise = json!({ "parameterization": "pixel", "jitter": 0, "rotate": 0, "scale": 1 });
    let layers = lab.network().layers;
    let dense = layers
        .iter()
        .rfind(|layer| layer.kind == "dense")
        .unwrap()
        .id
        .clone();
    assert!(note(&mut lab, &dense, noise).starts_with("Mostly noise"));

    // A unit that is never on.
    let mut named = block_on(lab.parameters()).unwrap();
    named.retain(|(name, _)| *name == format!("{layer}.bias"));
    let shape = named[0].1.shape().clone();
    named[0].1 = convscope::tensor::Tensor::from_fn(shape, |_| -1000.0);
    block_on(lab.set_parameters(&named)).unwrap();
    let behind = layers.iter().position(|other| other.id == layer).unwrap() + 1;
    assert_eq!(layers[behind].kind, "relu");
    assert!(note(&mut lab, &layers[behind].id, json!({})).starts_with("Off"));
}
