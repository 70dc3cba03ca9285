//! A laboratory with a small network of a test's own on small digits, and what tests read from it.

#[path = "trained.rs"]
#[expect(dead_code, reason = "a laboratory of its own is made here")]
mod trained;

use convscope::backend::cpu::Cpu;
use convscope::nn::NetworkSpec;
use convscope::tensor::Tensor;
use convscope::web::Lab;
use convscope::web::messages::Choice;
use pollster::block_on;
use serde_json::{Value, json};

use trained::train;
pub(crate) use trained::visualize;

/// Images of the test split: two batches of 64.
pub(crate) const IMAGES: usize = 128;

/// A laboratory with `nodes` on small digits, trained for a moment.
pub(crate) fn lab_of(nodes: &Value, steps: u32) -> Lab<Cpu> {
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
pub(crate) fn parameter(lab: &Lab<Cpu>, name: &str) -> Tensor {
    let all = block_on(lab.parameters()).unwrap();
    let found = all.into_iter().find(|(other, _)| other == name);
    found.unwrap().1
}

/// Changes a parameter's values.
pub(crate) fn edit(lab: &mut Lab<Cpu>, name: &str, change: impl FnOnce(&mut Vec<f32>)) {
    let tensor = parameter(lab, name);
    let mut values = tensor.to_vec();
    change(&mut values);
    let tensor = Tensor::new(tensor.shape().clone(), values).unwrap();
    block_on(lab.set_parameters(&[(name.to_owned(), tensor)])).unwrap();
}

/// The layer's activations for every image of the test split, `[c, h, w]` each.
pub(crate) fn activations(lab: &Lab<Cpu>, layer: &str) -> Vec<Vec<f32>> {
    let image = |index| lab.example(index, Some("test")).unwrap().0;
    let each = |index| {
        block_on(lab.activations(layer, image(index)))
            .unwrap()
            .to_vec()
    };
    (0..IMAGES).map(each).collect()
}

pub(crate) fn assert_close(what: &str, found: &[f32], expected: &[f32], bound: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= bound,
            "{what}, {at}: {found}, not {expected}"
        );
    }
}

/// A refusal in the method's own words.
pub(crate) fn refusal(lab: &mut Lab<Cpu>, options: Value, image: Option<Vec<f32>>) -> String {
    let options = serde_json::from_value(options).unwrap();
    let refused = block_on(lab.begin_visualization(options, image));
    refused.unwrap_err().to_string()
}
