//! What is measured inside a network, held against what is computed here from its activations and weights: the
//! report on a layer's units, gates per class, attention, the reuse of features, histograms and effective filters.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/trained.rs"]
#[expect(dead_code, reason = "a laboratory of its own is made here")]
mod trained;

use convscope::backend::cpu::Cpu;
use convscope::nn::NetworkSpec;
use convscope::tensor::Tensor;
use convscope::web::Lab;
use convscope::web::messages::Choice;
use pollster::block_on;
use serde_json::{Value, json};

use trained::{train, visualize};

/// Images of the test split: two batches of 64.
const IMAGES: usize = 128;

/// A laboratory with `nodes` on small digits, trained for a moment.
fn lab_of(nodes: &Value, steps: u32) -> Lab<Cpu> {
    let mut lab = block_on(Lab::new(Cpu::new(), None)).unwrap();
    let options = json!({ "train": 256, "test": IMAGES });
    let options = options.as_object().unwrap().clone();
    let id = "pen-digits".to_owned();
    block_on(lab.set_dataset(&Choice { id, options })).unwrap();
    let spec = json!({ "name": "t", "input": [1, 28, 28], "classes": 10, "nodes": nodes });
    let spec = NetworkSpec::from_json(&spec.to_string()).unwrap();
    block_on(lab.set_network_spec(spec)).unwrap();
    if steps > 0 {
        train(&mut lab, steps);
    }
    lab
}

/// A parameter in PyTorch's layout.
fn parameter(lab: &Lab<Cpu>, name: &str) -> Tensor {
    let all = block_on(lab.parameters()).unwrap();
    let found = all.into_iter().find(|(other, _)| other == name);
    found.unwrap().1
}

/// Changes a parameter's values.
fn edit(lab: &mut Lab<Cpu>, name: &str, change: impl FnOnce(&mut Vec<f32>)) {
    let tensor = parameter(lab, name);
    let mut values = tensor.to_vec();
    change(&mut values);
    let tensor = Tensor::new(tensor.shape().clone(), values).unwrap();
    block_on(lab.set_parameters(&[(name.to_owned(), tensor)])).unwrap();
}

/// The layer's activations for every image of the test split, `[c, h, w]` each.
fn activations(lab: &Lab<Cpu>, layer: &str) -> Vec<Vec<f32>> {
    let image = |index| lab.example(index, Some("test")).unwrap().0;
    let each = |index| {
        block_on(lab.activations(layer, image(index)))
            .unwrap()
            .to_vec()
    };
    (0..IMAGES).map(each).collect()
}

fn assert_close(what: &str, found: &[f32], expected: &[f32], bound: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= bound,
            "{what}, {at}: {found}, not {expected}"
        );
    }
}

/// A refusal in the method's own words.
fn refusal(lab: &mut Lab<Cpu>, options: Value, image: Option<Vec<f32>>) -> String {
    let options = serde_json::from_value(options).unwrap();
    let refused = block_on(lab.begin_visualization(options, image));
    refused.unwrap_err().to_string()
}

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
    assert_eq!(found[0], "Dead, never active: 2.");
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
        "Saturated, always at an end of the layer's range: 3 (at 1.00), 6 (at -1.00 or 1.00)."
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
