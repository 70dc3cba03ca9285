//! That the pictures show what they claim, from first principles: a deconvnet reconstruction is the
//! transposed filter at its switch, computed here by hand; saliency is the derivative that finite
//! differences measure. On trained networks: `tests/visualize_trained.rs`.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/recipes.rs"]
mod recipes;

use convscope::field::Values;
use convscope::nn::{Network, NetworkSpec};
use convscope::rng::Rng;
use convscope::tensor::Tensor;
use convscope::visualize::Request;
use serde_json::{Map, json};

use recipes::{pictures, request};

/// Convolution 3x3 without bias, rectifier, 2x2 max pooling, on 6x6 images.
fn small_network() -> (Network, Vec<f32>, Tensor) {
    let spec = json!({ "name": "small", "input": [1, 6, 6], "classes": 2, "nodes": [
        { "id": "conv", "kind": "conv2d", "out_channels": 3, "kernel": 3, "padding": "valid",
          "bias": false },
        { "id": "relu", "kind": "relu" },
        { "id": "pool", "kind": "max_pool2d", "size": 2 },
        { "id": "flat", "kind": "flatten" },
        { "id": "fc", "kind": "dense", "units": 2 },
    ] });
    let network = Network::new(&NetworkSpec::from_json(&spec.to_string()).unwrap()).unwrap();
    let (parameters, _) = network.initial(5);
    let mut rng = Rng::new(9, "image");
    let image = Tensor::from_fn([1, 6, 6], |_| rng.uniform());
    (network, parameters, image)
}

#[test]
fn a_deconvnet_reconstruction_is_the_transposed_filter_at_its_switch() {
    let (network, parameters, image) = small_network();
    let pixels = image.to_vec();
    let weight = &network.parameters[0];
    // HWIO with one input channel: [3, 3, 1, 3].
    let kernel = &parameters[weight.offset..][..weight.shape.elements()];
    for channel in 0..3 {
        let tap = |i: usize, j: usize| kernel[(i * 3 + j) * 3 + channel];
        let map = |y: usize, x: usize| {
            let taps = (0..9).map(|k| (k / 3, k % 3));
            taps.map(|(i, j)| pixels[(y + i) * 6 + x + j] * tap(i, j))
                .sum::<f32>()
                .max(0.0)
        };
        // The strongest pooled unit is the strongest position of the 4x4 map.
        let positions = (0..16).map(|k| (k / 4, k % 4));
        let (y, x) = positions
            .max_by(|a, b| map(a.0, a.1).total_cmp(&map(b.0, b.1)))
            .unwrap();
        let activation = map(y, x);
        assert!(
            activation > 0.0,
            "channel {channel} must be active for this test"
        );
        let mut expected = vec![0.0; 36];
        for (i, j) in (0..9).map(|k| (k / 3, k % 3)) {
            expected[(y + i) * 6 + x + j] = activation * tap(i, j);
        }
        let request = request(
            &network,
            "deconvnet",
            ("pool", channel),
            Some(&image),
            &json!({}),
        );
        let pictures = pictures(&request, "deconvnet", &parameters);
        assert_eq!(pictures.len(), 3);
        for picture in &pictures {
            // The seed is positive and meets one rectifier, where its input was positive: here the
            // three rules agree.
            for (at, (found, wanted)) in picture.data.iter().zip(&expected).enumerate() {
                assert!(
                    (found - wanted).abs() <= 1e-6,
                    "{}, pixel {at}: {found} instead of {wanted}",
                    picture.title
                );
                assert_eq!(
                    *wanted == 0.0,
                    *found == 0.0,
                    "nothing lands beside the switch"
                );
            }
        }
    }
}

#[test]
fn connections_are_the_slices_of_the_weights_between_units_strongest_first() {
    let (network, parameters, _) = small_network();
    let [conv, fc] = ["conv.weight", "fc.weight"].map(|name| {
        let one = network.parameters.iter().find(|one| one.name == name);
        let one = one.unwrap();
        &parameters[one.offset..][..one.shape.elements()]
    });
    for channel in 0..3 {
        let request = request(&network, "connections", ("pool", channel), None, &json!({}));
        let pictures = pictures(&request, "connections", &parameters);
        // Through rectifier and pooling to the image, and through the flattened maps to both classes.
        let slice: Vec<f32> = (0..9).map(|k| conv[k * 3 + channel]).collect();
        assert_eq!(pictures[0].unit, Some(("input".to_owned(), 0)));
        assert_eq!(pictures[0].data, slice);
        assert_eq!(pictures.len(), 3);
        let mut norms = Vec::new();
        for picture in &pictures[1..] {
            let (layer, class) = picture.unit.clone().unwrap();
            assert_eq!(layer, "fc");
            // PyTorch's order: channel, row, column; two classes.
            let slice: Vec<f32> = (0..4).map(|k| fc[(channel * 4 + k) * 2 + class]).collect();
            assert_eq!(picture.data, slice);
            norms.push(slice.iter().map(|x| x * x).sum::<f32>());
        }
        assert!(norms[0] >= norms[1], "strongest first: {norms:?}");
    }
}

/// Two rectifiers in a row: the rules differ, and guided is the gradient's mask on the deconvnet.
#[test]
fn the_three_rules_differ_behind_two_rectifiers() {
    let spec = json!({ "name": "two", "input": [1, 8, 8], "classes": 2, "nodes": [
        { "id": "conv1", "kind": "conv2d", "out_channels": 4, "kernel": 3, "padding": "same" },
        { "id": "relu1", "kind": "relu" },
        { "id": "conv2", "kind": "conv2d", "out_channels": 4, "kernel": 3, "padding": "same" },
        { "id": "relu2", "kind": "relu" },
        { "kind": "global_avg_pool2d" },
        { "kind": "dense", "units": 2 },
    ] });
    let network = Network::new(&NetworkSpec::from_json(&spec.to_string()).unwrap()).unwrap();
    let (parameters, _) = network.initial(3);
    let mut rng = Rng::new(2, "image");
    let image = Tensor::from_fn([1, 8, 8], |_| rng.uniform());
    let request = request(
        &network,
        "deconvnet",
        ("relu2", 1),
        Some(&image),
        &json!({ "from": "map" }),
    );
    let pictures = pictures(&request, "deconvnet", &parameters);
    let [deconvnet, gradient, guided] = [0, 1, 2].map(|i| pictures[i].data.clone());
    assert_ne!(deconvnet, gradient);
    assert_ne!(deconvnet, guided);
    assert_ne!(gradient, guided);
}

#[test]
fn saliency_is_the_measured_derivative() {
    let (network, parameters, image) = small_network();
    let request = request(
        &network,
        "saliency",
        ("input", 0),
        Some(&image),
        &json!({ "class": 1 }),
    );
    let map = &pictures(&request, "saliency", &parameters)[0].data;
    let score = |image: &Tensor| {
        let last = network.layers.last().unwrap().id.clone();
        let values = Values::check("feature-maps", &[], &Map::new()).unwrap();
        let base = self::request(&network, "saliency", (&last, 0), Some(image), &json!({}));
        let request = Request { values, ..base };
        f64::from(pictures(&request, "feature-maps", &parameters)[1].data[0])
    };
    let step = 1e-2;
    for pixel in [0, 7, 14, 21, 35] {
        let moved = |by: f32| {
            let mut pixels = image.to_vec();
            pixels[pixel] += by;
            score(&Tensor::new([1, 6, 6], pixels).unwrap())
        };
        let measured = ((moved(step) - moved(-step)) / f64::from(2.0 * step)).abs();
        let found = f64::from(map[pixel]);
        assert!(
            (measured - found).abs() < 1e-3,
            "pixel {pixel}: {found}, measured {measured}"
        );
    }
}
