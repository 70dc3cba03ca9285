//! The icons of an activation atlas: images of directions among a layer's units, whose values are computed here again
//! from the layer's activations for the finished images.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/trained.rs"]
#[expect(dead_code, reason = "directions travel beside the options")]
mod trained;

use convscope::backend::cpu::Cpu;
use convscope::visualize::Picture;
use convscope::web::messages::Choice;
use convscope::web::{Given, Lab};
use pollster::block_on;
use serde_json::{Map, Value, json};

use trained::{train, trained_lab};

/// Images of `directions` that stand still, so that their values can be computed from what is shown.
fn images(
    lab: &mut Lab<Cpu>,
    layer: &str,
    directions: Vec<f32>,
    steps: u32,
) -> Result<Vec<Picture>, String> {
    let options = json!({ "method": "directions", "layer": layer, "seed": 3, "steps": steps,
        "jitter": 0, "rotate": 0, "scale": 1 });
    let options = serde_json::from_value(options).unwrap();
    let given = Given {
        image: None,
        directions: Some(directions),
    };
    let begun = block_on(lab.begin_visualization(options, given));
    let job = begun.map_err(|refusal| refusal.to_string())?;
    let mut now = 0.0;
    loop {
        let slice = block_on(lab.advance(job, now)).unwrap();
        if slice.done {
            return Ok(slice.pictures.unwrap());
        }
        now += 10.0;
    }
}

/// The mean of each of the layer's maps for an image.
fn means(lab: &Lab<Cpu>, layer: &str, image: &[f32]) -> Vec<f32> {
    let maps = block_on(lab.activations(layer, image.to_vec())).unwrap();
    let [c, h, w] = <[usize; 3]>::try_from(maps.shape().dims()).unwrap();
    let maps = maps.to_vec();
    (0..c)
        .map(|unit| maps[unit * h * w..][..h * w].iter().sum::<f32>() / (h * w) as f32)
        .collect()
}

/// How far the layer goes along the direction for an image, times the cosine between them, at least 0.1.
fn value(lab: &Lab<Cpu>, layer: &str, image: &[f32], direction: &[f32]) -> f32 {
    let answer = means(lab, layer, image);
    let length = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
    let product: f32 = answer.iter().zip(direction).map(|(a, b)| a * b).sum();
    let along = product / length(direction);
    along * (along / length(&answer)).clamp(0.1, 1.0)
}

fn said(picture: &Picture) -> f32 {
    picture.title.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn images_go_along_their_directions() {
    let mut lab = trained_lab();
    let layers = lab.network().layers;
    let layer = layers.iter().rfind(|one| one.kind == "conv2d").unwrap();
    let (id, units) = (layer.id.clone(), layer.shape[0]);
    // The answers to three images, which are kept as they are: a direction has no length.
    let rows: Vec<Vec<f32>> = (0..3)
        .map(|index| {
            let image = lab.example(index, None).unwrap().0;
            means(&lab, &id, &image).iter().map(|x| 7.0 * x).collect()
        })
        .collect();
    let found = images(&mut lab, &id, rows.concat(), 60).unwrap();
    assert_eq!(found.len(), 3);
    let first = images(&mut lab, &id, rows.concat(), 1).unwrap();
    for (at, picture) in found.iter().enumerate() {
        let own = value(&lab, &id, &picture.data, &rows[at]);
        let bound = 0.02 * own.abs() + 2e-3;
        assert!(
            (said(picture) - own).abs() < bound,
            "{}: {own}",
            picture.title
        );
        assert!(
            picture
                .title
                .starts_with(&format!("{id} direction {at} · along it"))
        );
        assert!(own > value(&lab, &id, &first[at].data, &rows[at]), "{at}");
    }
    // The same for the same seed, and in a batch of its own.
    let again = images(&mut lab, &id, rows.concat(), 60).unwrap();
    assert_eq!(again, found);
    // One unit alone: its mean times the cosine.
    let mut alone = vec![0.0; units];
    alone[units - 1] = 2.0;
    let picture = &images(&mut lab, &id, alone.clone(), 60).unwrap()[0];
    let answer = means(&lab, &id, &picture.data);
    let length = answer.iter().map(|x| x * x).sum::<f32>().sqrt();
    let own = answer[units - 1] * (answer[units - 1] / length).clamp(0.1, 1.0);
    assert!(
        (said(picture) - own).abs() < 0.02 * own.abs() + 2e-3,
        "{own}"
    );

    let refusal = images(&mut lab, &id, vec![1.0; units + 1], 1).unwrap_err();
    let expected = format!(
        "directions among the units of {id}: expected {units} numbers for each, found {}",
        units + 1
    );
    assert_eq!(refusal, expected);
    let refusal = images(&mut lab, &id, vec![f32::NAN; units], 1).unwrap_err();
    assert!(refusal.contains("finite"), "{refusal}");
    let refusal = images(&mut lab, &layers[0].id, vec![1.0], 1).unwrap_err();
    assert!(refusal.contains("a layer behind the input"), "{refusal}");
}

#[test]
fn a_color_network_with_batch_norm_has_its_directions_too() {
    let mut lab = block_on(Lab::new(Cpu::new(), None)).unwrap();
    let choice = |id: &str, options: Value| Choice {
        id: id.to_owned(),
        options: options.as_object().cloned().unwrap_or_else(Map::new),
    };
    let shapes = choice("shapes", json!({ "train": 128, "test": 100 }));
    block_on(lab.set_dataset(&shapes)).unwrap();
    block_on(lab.set_network(choice("mini-vgg", json!({})))).unwrap();
    train(&mut lab, 4);
    let layers = lab.network().layers;
    let layer = layers.iter().rfind(|one| one.kind == "conv2d").unwrap();
    let (id, units) = (layer.id.clone(), layer.shape[0]);
    let directions: Vec<f32> = (0..2 * units).map(|at| (at as f32).sin()).collect();
    let found = images(&mut lab, &id, directions.clone(), 3).unwrap();
    assert_eq!(found.len(), 2);
    for (picture, direction) in found.iter().zip(directions.chunks(units)) {
        assert_eq!(picture.channels, 3);
        let own = value(&lab, &id, &picture.data, direction);
        assert!(
            (said(picture) - own).abs() < 0.05 * own.abs() + 5e-3,
            "{}: {own}",
            picture.title
        );
    }
    // What a form asks for has no directions.
    let refused = serde_json::from_value(json!({ "method": "directions", "layer": id })).unwrap();
    let refused = block_on(lab.begin_visualization(refused, None)).unwrap_err();
    assert!(refused.to_string().ends_with("found 0"), "{refused}");
}
