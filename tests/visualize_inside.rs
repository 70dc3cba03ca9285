//! What is measured of a layer's units and numbers, held against what is computed here from its activations and
//! weights: the report on its units, and its histograms. And that every kind of layer is shown.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/small_lab.rs"]
mod small_lab;

use std::collections::{BTreeMap, BTreeSet};

use convscope::backend::cpu::Cpu;
use convscope::visualize::{Picture, find_visualization};
use convscope::web::Lab;
use convscope::web::messages::Choice;
use convscope::zoo::ARCHITECTURES;
use pollster::block_on;
use serde_json::{Map, json};

use small_lab::{IMAGES, activations, assert_close, edit, lab_of, parameter, refusal, visualize};

#[test]
fn dead_saturated_and_duplicate_units_are_found_and_no_others() {
    let mut lab = lab_of(
        &json!([
            { "id": "conv", "kind": "conv2d", "out_channels": 6, "kernel": 5, "stride": 3 },
            { "id": "relu", "kind": "relu" },
            { "id": "flat", "kind": "flatten" },
            { "id": "fc", "kind": "dense", "units": 8 },
            { "id": "tanh", "kind": "tanh" },
            { "id": "last", "kind": "dense", "units": 10 },
        ]),
        60,
    );
    let options =
        |layer: &str| json!({ "method": "unit-report", "layer": layer, "images": IMAGES });
    let notes = |lab: &mut Lab<Cpu>, layer: &str| {
        let pictures = visualize(lab, options(layer), None);
        [0, 2].map(|at: usize| pictures[at].note.clone().unwrap())
    };
    let healthy = [
        "No unit is dead or saturated.",
        "No two units correlate above 0.95.",
    ];
    assert_eq!(notes(&mut lab, "relu"), healthy);
    // Unit 2 never active, unit 5 twice unit 1.
    edit(&mut lab, "conv.weight", |weights| {
        weights[2 * 25..3 * 25].fill(0.0);
        let twice: Vec<f32> = weights[25..50].iter().map(|w| 2.0 * w).collect();
        weights[5 * 25..].copy_from_slice(&twice);
    });
    edit(&mut lab, "conv.bias", |bias| {
        bias[2] = -1.0;
        bias[5] = 2.0 * bias[1];
    });
    let found = notes(&mut lab, "relu");
    assert_eq!(found[0], "Dead, never active (1 of 6): 2.");
    assert_eq!(found[1], "Units that do the same: 1 and 5 (1.00).");

    // Unit 3 always at 1, unit 6 always at one end or the other.
    edit(&mut lab, "fc.bias", |bias| bias[3] = 1000.0);
    edit(&mut lab, "fc.weight", |weights| {
        let inputs = weights.len() / 8;
        weights[6 * inputs..7 * inputs]
            .iter_mut()
            .for_each(|w| *w *= 1000.0);
    });
    let found = notes(&mut lab, "tanh");
    assert_eq!(
        found[0],
        "Saturated, always at an end of the layer's range (2 of 8): 3 (at 1.00), 6 (at -1.00 or 1.00)."
    );

    // The numbers, from the activations.
    let pictures = visualize(&mut lab, options("relu"), None);
    let maps = activations(&lab, "relu");
    let area = maps[0].len() / 6;
    let values = |unit: usize| -> Vec<f32> {
        let each = maps.iter().map(|maps| &maps[unit * area..][..area]);
        each.flatten().copied().collect()
    };
    let mean = |x: &[f32]| (x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64) as f32;
    let covariance = |a: &[f32], b: &[f32]| {
        let (of_a, of_b) = (mean(a), mean(b));
        let pairs = a.iter().zip(b);
        mean(
            &pairs
                .map(|(x, y)| (x - of_a) * (y - of_b))
                .collect::<Vec<_>>(),
        )
    };
    let units: Vec<Vec<f32>> = (0..6).map(values).collect();
    let active = |unit: &Vec<f32>| {
        let images = unit
            .chunks(area)
            .filter(|map| map.iter().any(|&x| x != 0.0));
        images.count() as f32 / IMAGES as f32
    };
    let of_units =
        |measure: &dyn Fn(&Vec<f32>) -> f32| units.iter().map(measure).collect::<Vec<_>>();
    assert_close("active", &pictures[0].data, &of_units(&active), 1e-6);
    let spread = |unit: &Vec<f32>| covariance(unit, unit).sqrt();
    let rows = [of_units(&|unit| mean(unit)), of_units(&spread)].concat();
    assert_close("mean and spread", &pictures[1].data, &rows, 1e-4);
    let correlation = |at: usize| {
        let (a, b) = (&units[at / 6], &units[at % 6]);
        let product = spread(a) * spread(b);
        match at / 6 == at % 6 {
            true => 1.0,
            false if product == 0.0 => 0.0,
            false => covariance(a, b) / product,
        }
    };
    let matrix: Vec<f32> = (0..36).map(correlation).collect();
    assert_close("correlation", &pictures[2].data, &matrix, 1e-3);
    assert_eq!(
        refusal(&mut lab, options("input"), None),
        "unit report: expected a layer behind the input, found input"
    );
}

/// Counts in equal bins from the smallest number to the largest, the fullest one 1.
fn histogram(values: &[f32], bins: usize) -> Vec<f32> {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut counts = vec![0.0; bins];
    for value in values {
        let at = (value - low) * (bins as f32 / (high - low));
        counts[(at as usize).min(bins - 1)] += 1.0;
    }
    let most = counts.iter().copied().fold(0.0, f32::max);
    counts.iter().map(|count| count / most).collect()
}

#[test]
fn histograms_are_of_the_layers_own_numbers() {
    let mut lab = lab_of(
        &json!([
            { "id": "conv", "kind": "conv2d", "out_channels": 4, "kernel": 5, "stride": 3 },
            { "kind": "tanh" },
            { "kind": "flatten" },
            { "id": "fc", "kind": "dense", "units": 10 },
        ]),
        40,
    );
    let mut show = |layer: &str| {
        let options = json!({ "method": "histograms", "layer": layer, "images": IMAGES,
            "split": "test", "bins": 12 });
        visualize(&mut lab, options, None)
    };
    let (conv, fc) = (show("conv"), show("fc"));
    assert_eq!(
        [conv.len(), fc.len()],
        [6, 6],
        "activations, weight, bias and their gradients"
    );
    // A number at a bin's edge may fall to either side.
    let near = |what: &str, found: &[f32], values: &[f32]| {
        let expected = histogram(values, 12);
        let apart: f32 = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs())
            .sum();
        let all: f32 = expected.iter().sum();
        assert!(apart < 0.004 * all, "{what}: {found:?}, not {expected:?}");
    };
    near(
        "activations",
        &conv[0].data,
        &activations(&lab, "conv").concat(),
    );
    near(
        "weights",
        &conv[2].data,
        &parameter(&lab, "conv.weight").to_vec(),
    );
    // One unit alone.
    let maps = activations(&lab, "conv");
    let area = maps[0].len() / 4;
    let own: Vec<f32> = maps
        .iter()
        .flat_map(|maps| maps[2 * area..3 * area].to_vec())
        .collect();
    let options = json!({ "method": "histograms", "layer": "conv", "images": IMAGES,
        "split": "test", "bins": 12, "of": "unit", "channel": 2 });
    let unit = visualize(&mut lab, options, None);
    assert_eq!(unit.len(), 2, "its activations and their gradient");
    near("activations of a unit", &unit[0].data, &own);
    let told = format!("Activations of conv unit 2 · {} numbers", own.len());
    assert!(unit[0].title.starts_with(&told), "{}", unit[0].title);
    let options = json!({ "method": "histograms", "layer": "conv", "of": "unit", "channel": 4 });
    assert!(refusal(&mut lab, options, None).contains("channels"));
    // The loss's gradient by the scores is what is said less what is right.
    let mut errors = Vec::new();
    for index in 0..IMAGES {
        let (image, label) = lab.example(index, Some("test")).unwrap();
        let mut said = block_on(lab.predict(image)).unwrap();
        said[label] -= 1.0;
        errors.extend(said.iter().map(|x| x / IMAGES as f32));
    }
    near("gradients of scores", &fc[1].data, &errors);
    let by_bias: Vec<f32> = (0..10)
        .map(|unit| errors.iter().skip(unit).step_by(10).sum())
        .collect();
    near("gradients of biases", &fc[5].data, &by_bias);
    let size = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
    let share = size(&by_bias) / size(&parameter(&lab, "fc.bias").to_vec());
    let told = format!("· 128 test images · {share:.3} of the length of fc.bias");
    assert!(fc[5].title.contains(&told), "{}, not {told}", fc[5].title);
}

#[test]
fn activations_over_the_data_are_each_images_strongest_by_class() {
    let mut lab = lab_of(
        &json!([
            { "id": "conv", "kind": "conv2d", "out_channels": 4, "kernel": 5, "stride": 3 },
            { "kind": "tanh" },
            { "kind": "flatten" },
            { "id": "fc", "kind": "dense", "units": 10 },
        ]),
        40,
    );
    const BINS: usize = 6;
    for (layer, unit) in [("conv", 2), ("fc", 7)] {
        let options = json!({ "method": "activation-histogram", "layer": layer, "channel": unit,
            "images": IMAGES, "bins": BINS });
        let found = visualize(&mut lab, options, None);
        let maps = activations(&lab, layer);
        let units = lab.network().layers.into_iter().find(|one| one.id == layer);
        let units = units.unwrap().shape[0];
        let own = maps.iter().map(|maps| {
            let area = maps.len() / units;
            let own = maps[unit * area..][..area].iter();
            own.copied().fold(f32::NEG_INFINITY, f32::max)
        });
        let own: Vec<f32> = own.collect();
        let low = own.iter().copied().fold(f32::INFINITY, f32::min);
        let high = own.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let ends = [low, high].map(|end| format!("{end:.3}"));
        assert_eq!(found[0].ends, ends, "{layer}");
        let mut counts = vec![0.0; BINS];
        let mut table = vec![0.0; 10 * BINS];
        let mut sums = [(0.0, 0.0_f32); 10];
        for (index, x) in own.iter().enumerate() {
            let class = lab.example(index, Some("test")).unwrap().1;
            let bin = ((x - low) / (high - low) * BINS as f32) as usize;
            counts[bin.min(BINS - 1)] += 1.0;
            table[class * BINS + bin.min(BINS - 1)] += 1.0;
            sums[class] = (sums[class].0 + 1.0, sums[class].1 + x);
        }
        assert_eq!(found[0].data, counts, "{layer}");
        for (at, share) in table.iter_mut().enumerate() {
            *share /= f32::max(sums[at / BINS].0, 1.0);
        }
        assert_eq!(found[1].data, table, "{layer}");
        let means = sums.iter().map(|(n, sum)| match *n {
            0.0 => f32::NEG_INFINITY,
            n => sum / n,
        });
        let most = means.fold(f32::NEG_INFINITY, f32::max);
        let note = found[0].note.clone().unwrap();
        assert!(note.contains(&format!("({most:.2}), weakest")), "{note}");
    }
}

#[test]
fn live_histograms_have_a_row_for_each_state_and_measure_the_steps() {
    let mut lab = lab_of(
        &json!([
            { "id": "conv", "kind": "conv2d", "out_channels": 4, "kernel": 5, "stride": 3 },
            { "kind": "relu" },
            { "kind": "flatten" },
            { "id": "fc", "kind": "dense", "units": 10 },
        ]),
        0,
    );
    let options = json!({ "method": "histograms", "layer": "fc", "live": true, "bins": 8 });
    let options = serde_json::from_value(options).unwrap();
    let live = block_on(lab.begin_visualization(options, None)).unwrap();
    let mut now = 0.0;
    let mut ratios = Vec::new();
    for steps in [3, 1, 2] {
        // Several runs of the program for each state of the network.
        for _ in 0..3 {
            block_on(lab.advance(live, now)).unwrap();
            now += 1.0;
        }
        let before = parameter(&lab, "fc.weight").to_vec();
        let training = serde_json::from_value(json!({ "steps": steps, "batchSize": 16 })).unwrap();
        let training = lab.begin_training(training).unwrap();
        while !block_on(lab.advance(training, now)).unwrap().done {
            now += 20.0;
        }
        let after = parameter(&lab, "fc.weight").to_vec();
        let size = |x: &mut dyn Iterator<Item = f32>| x.map(|x| x * x).sum::<f32>().sqrt();
        let moved = size(&mut after.iter().zip(&before).map(|(a, b)| a - b));
        let share = moved / size(&mut after.iter().copied());
        ratios.push((share / steps as f32).log10());
    }
    block_on(lab.advance(live, now)).unwrap();
    let pictures = block_on(lab.finish(live)).unwrap().pictures.unwrap();
    // Six histograms, the same over time, and a ratio for weight and bias.
    assert_eq!(pictures.len(), 14);
    let table = &pictures[6 + 2];
    assert_eq!([table.height, table.width], [4, 8], "{}", table.title);
    assert!(
        table.title.contains("step 0 (above) to 6 (below)"),
        "{}",
        table.title
    );
    for row in table.data.chunks(8) {
        let all: f32 = row.iter().sum();
        assert!((all - 1.0).abs() < 1e-4, "{all} of the weights");
    }
    assert_close("ratios", &pictures[12].data, &ratios, 1e-3);
}

/// Every kind of layer that a network of the zoo has is shown, or refused by its name.
#[test]
fn every_kind_of_layer_is_shown_or_refused() {
    const METHODS: [&str; 8] = [
        "activation-histogram",
        "unit-report",
        "histograms",
        "effective-filter",
        "class-gates",
        "attention-maps",
        "feature-reuse",
        "kernels",
    ];
    let mut lab = lab_of(
        &json!([{ "kind": "flatten" }, { "kind": "dense", "units": 10 }]),
        0,
    );
    let image = lab.example(0, None).unwrap().0;
    let mut kinds = BTreeSet::new();
    let mut shown = BTreeMap::new();
    for architecture in ARCHITECTURES.iter().filter(|one| !one.full) {
        let id = architecture.id.to_owned();
        let options = Map::new();
        block_on(lab.set_network(Choice { id, options })).unwrap();
        for layer in lab.network().layers {
            if !kinds.insert(layer.kind.clone()) {
                continue;
            }
            for method in METHODS {
                let mut options = json!({ "method": method, "layer": layer.id, "channel": 0 });
                let fields = find_visualization(method).unwrap().fields();
                if fields.iter().any(|field| field.name == "images") {
                    options["images"] = json!(4);
                }
                let job = serde_json::from_value(options.clone()).unwrap();
                let what = format!("{method} of {}, {}", layer.id, architecture.id);
                match block_on(lab.begin_visualization(job, Some(image.clone()))) {
                    Ok(_) => {
                        let pictures = visualize(&mut lab, options, Some(image.clone()));
                        let finite = |picture: &Picture| picture.data.iter().all(|x| x.is_finite());
                        assert!(
                            !pictures.is_empty() && pictures.iter().all(finite),
                            "{what}"
                        );
                        *shown.entry(method).or_insert(0) += 1;
                    }
                    Err(refusal) => {
                        assert!(refusal.to_string().contains(&layer.id), "{what}: {refusal}");
                    }
                }
            }
        }
    }
    // All but the input; layers with gates; attention and its pooling.
    let all = kinds.len() - 1;
    for (method, wanted) in METHODS.into_iter().zip([all, all, all, all, 1, 2]) {
        assert_eq!(shown[method], wanted, "{method} of {kinds:?}");
    }
}
