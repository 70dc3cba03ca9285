//! What is shown of blocks and of layers together, held against what is computed here from weights and activations:
//! gates for each class, attention, the reuse of features, and filters through several layers.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "common/small_lab.rs"]
mod small_lab;

use pollster::block_on;
use serde_json::{Value, json};

use small_lab::{IMAGES, activations, assert_close, edit, lab_of, parameter, refusal, visualize};

#[test]
fn gates_are_the_means_over_the_images_of_each_class() {
    let mut lab = lab_of(
        &json!([
            { "id": "conv", "kind": "conv2d", "out_channels": 8, "kernel": 5, "stride": 3 },
            { "id": "relu", "kind": "relu" },
            { "id": "se", "kind": "squeeze_excite", "channels": 8, "reduced": 4 },
            { "kind": "flatten" },
            { "kind": "dense", "units": 10 },
        ]),
        40,
    );
    let options =
        |layer: &str| json!({ "method": "class-gates", "layer": layer, "images": IMAGES });
    let pictures = visualize(&mut lab, options("se"), None);
    let (mut sums, mut counts) = (vec![0.0; 80], vec![0.0; 10]);
    for (index, gates) in activations(&lab, "se_gate").iter().enumerate() {
        let label = lab.example(index, Some("test")).unwrap().1;
        counts[label] += 1.0;
        let row = sums[label * 8..][..8].iter_mut();
        row.zip(gates).for_each(|(sum, gate)| *sum += gate);
    }
    let means: Vec<f32> = (0..80).map(|at| sums[at] / counts[at / 8]).collect();
    assert_close("gates", &pictures[0].data, &means, 1e-5);
    let [height, width] = [pictures[0].height, pictures[0].width];
    assert_eq!([height, width], [10, 8], "a row for each class");
    let mean = |channel: usize| means.iter().skip(channel).step_by(8).sum::<f32>() / 10.0;
    let mean: Vec<f32> = (0..8).map(mean).collect();
    assert_close("mean gates", &pictures[1].data[..8], &mean, 1e-5);
    assert_eq!(
        refusal(&mut lab, options("conv"), None),
        "gates: expected a layer that opens and closes its channels (se), found conv"
    );
}

/// `small`, `[7, 7]`, at the pixels of an image of four times the size, linear between pixels' middles.
fn enlarged(small: &[f32]) -> Vec<f32> {
    let at = |y: usize, x: usize| {
        let place = |at: usize| ((at as f32 + 0.5) / 4.0 - 0.5).clamp(0.0, 6.0);
        let (y, x) = (place(y), place(x));
        let near = |of: usize, to: f32| (1.0 - (of as f32 - to).abs()).max(0.0);
        let weigh = |(i, value): (usize, &f32)| value * near(i / 7, y) * near(i % 7, x);
        small.iter().enumerate().map(weigh).sum()
    };
    (0..28 * 28).map(|i| at(i / 28, i % 28)).collect()
}

/// Scaled products of queries and keys, softmax, from PyTorch's layout of the weights.
#[test]
fn attention_is_the_softmax_of_the_scaled_products() {
    const TOKENS: usize = 49;
    let mut lab = lab_of(
        &json!([
            { "id": "conv", "kind": "conv2d", "out_channels": 8, "kernel": 4, "stride": 4 },
            { "id": "attention", "kind": "multi_head_attention", "heads": 2 },
            { "id": "pool", "kind": "seq_pool" },
            { "id": "fc", "kind": "dense", "units": 10 },
        ]),
        40,
    );
    let image = lab.example(3, Some("test")).unwrap().0;
    let x = block_on(lab.activations("conv", image.clone()))
        .unwrap()
        .to_vec();
    let [weight, bias] = ["weight", "bias"]
        .map(|name| parameter(&lab, &format!("attention.in_proj_{name}")).to_vec());
    let projected = |row: usize, token: usize| {
        let inputs = (0..8).map(|c| weight[row * 8 + c] * x[c * TOKENS + token]);
        inputs.sum::<f32>() + bias[row]
    };
    let softmax = |scores: Vec<f32>| {
        let all: f32 = scores.iter().map(|score| score.exp()).sum();
        scores
            .iter()
            .map(|score| score.exp() / all)
            .collect::<Vec<f32>>()
    };
    let weights = |head: usize, query: usize| {
        let score = |key: usize| {
            let dims = (0..4).map(|d| 4 * head + d);
            let products = dims.map(|d| projected(d, query) * projected(8 + d, key));
            products.sum::<f32>() / 2.0
        };
        softmax((0..TOKENS).map(score).collect())
    };
    let options = |fields: Value| {
        let mut options = json!({ "method": "attention-maps", "layer": "attention" });
        for (key, value) in fields.as_object().unwrap() {
            options[key] = value.clone();
        }
        options
    };
    // The pixel at row 9, column 20 is of token (2, 5).
    let position = options(json!({ "query": "position", "row": 9, "column": 20 }));
    let mean = options(json!({}));
    let [position, mean] =
        [position, mean].map(|options| visualize(&mut lab, options, Some(image.clone())));
    assert_eq!([position.len(), mean.len()], [2, 2], "one for each head");
    for head in 0..2 {
        let expected = enlarged(&weights(head, 2 * 7 + 5));
        assert_close("one query", &position[head].data, &expected, 1e-5);
        let mut all = vec![0.0; TOKENS];
        for query in 0..TOKENS {
            let each = all.iter_mut().zip(weights(head, query));
            each.for_each(|(sum, weight)| *sum += weight / TOKENS as f32);
        }
        assert_close("mean", &mean[head].data, &enlarged(&all), 1e-5);
    }
    let maps = block_on(lab.activations("attention", image.clone()))
        .unwrap()
        .to_vec();
    let score = parameter(&lab, "pool.weight").to_vec();
    let scores = (0..TOKENS).map(|token| (0..8).map(|c| score[c] * maps[c * TOKENS + token]).sum());
    let pooling = visualize(
        &mut lab,
        options(json!({ "layer": "pool" })),
        Some(image.clone()),
    );
    let expected = enlarged(&softmax(scores.collect()));
    assert_close("pooling", &pooling[0].data, &expected, 1e-5);
    for (fields, sentence) in [
        (
            json!({ "layer": "conv" }),
            "attention maps: expected a layer with attention (attention, pool), found conv",
        ),
        (
            json!({ "query": "position", "row": 28 }),
            "row: expected an index below 28, found 28",
        ),
    ] {
        assert_eq!(
            refusal(&mut lab, options(fields), Some(image.clone())),
            sentence
        );
    }
}

#[test]
fn features_are_reused_as_the_kernels_say() {
    let mut lab = lab_of(
        &json!([
            { "id": "stem", "kind": "conv2d", "out_channels": 4, "kernel": 4, "stride": 4 },
            { "id": "block", "kind": "dense_block", "layers": 2, "growth": 3, "bottleneck": false },
            { "id": "next", "kind": "dense_transition", "out_channels": 5 },
            { "kind": "global_avg_pool2d" },
            { "id": "fc", "kind": "dense", "units": 10 },
        ]),
        0,
    );
    // The second layer looks at the stem twice as hard as at the first layer.
    edit(&mut lab, "block_conv2_2.weight", |weights| {
        for (at, weight) in weights.iter_mut().enumerate() {
            let sign = if at % 2 == 0 { 1.0 } else { -1.0 };
            *weight = sign * if at / 9 % 7 < 4 { 0.5 } else { 0.25 };
        }
    });
    let options = |layer: &str| json!({ "method": "feature-reuse", "layer": layer });
    let table = visualize(&mut lab, options("block"), None).remove(0);
    assert_eq!(
        table.title,
        "Mean absolute weight on the features of (rows, from above) stem, block_conv1_2, block_conv2_2, by \
         (columns, from the left) block_conv1_2, block_conv2_2, next_conv; 0 where there is no connection"
    );
    // Of a kernel [o, i, taps], the channels of one source.
    let mean = |name: &str, inputs: usize, range: std::ops::Range<usize>| {
        let weights = parameter(&lab, &format!("{name}.weight")).to_vec();
        let taps = if name == "next_conv" { 1 } else { 9 };
        let own = weights.iter().enumerate();
        let own: Vec<f32> = own
            .filter(|(at, _)| range.contains(&(at / taps % inputs)))
            .map(|(_, weight)| weight.abs())
            .collect();
        own.iter().sum::<f32>() / own.len() as f32
    };
    let expected = [
        [
            mean("block_conv1_2", 4, 0..4),
            0.5,
            mean("next_conv", 10, 0..4),
        ],
        [0.0, 0.25, mean("next_conv", 10, 4..7)],
        [0.0, 0.0, mean("next_conv", 10, 7..10)],
    ];
    assert_close("reuse", &table.data, expected.as_flattened(), 1e-6);
    for layer in [
        "stem",
        "block_concat1",
        "block",
        "block_relu2_2",
        "block_conv1_2",
        "next_conv",
    ] {
        let same = visualize(&mut lab, options(layer), None).remove(0);
        assert_eq!(same.title, table.title, "{layer} takes part in it");
    }
    assert_eq!(
        refusal(&mut lab, options("fc"), None),
        "feature reuse: expected a layer that reads, makes or passes on concatenated features, found fc"
    );
}

/// A kernel behind a stride and a pooling, composed by hand.
#[test]
fn effective_filters_are_composed_kernels() {
    let mut lab = lab_of(
        &json!([
            { "id": "conv1", "kind": "conv2d", "out_channels": 3, "kernel": 3, "stride": 2 },
            { "kind": "tanh" },
            { "id": "pool", "kind": "max_pool2d", "size": 3, "stride": 2 },
            { "id": "conv2", "kind": "conv2d", "out_channels": 4, "kernel": 2 },
            { "id": "relu", "kind": "relu" },
            { "id": "norm", "kind": "layer_norm" },
            { "kind": "global_max_pool2d" },
            { "id": "fc", "kind": "dense", "units": 10 },
        ]),
        30,
    );
    let options = |layer: &str, channel: usize| json!({ "method": "effective-filter", "layer": layer, "channel": channel });
    let first = parameter(&lab, "conv1.weight").to_vec();
    let found = visualize(&mut lab, options("conv1", 2), None).remove(0);
    assert_close("the first layer", &found.data, &first[18..27], 1e-6);
    assert_eq!(found.note, None);
    let second = parameter(&lab, "conv2.weight").to_vec();
    // conv1 steps by 2 pixels, the pooling by 4: 3 + 2 * 2 + 4 = 11 pixels.
    let mut expected = vec![0.0; 11 * 11];
    for at in 0..3 * 4 * 9 * 9 {
        let (c, tap, pooled, own) = (at / 324, at / 81 % 4, at / 9 % 9, at % 9);
        let y = 4 * (tap / 2) + 2 * (pooled / 3) + own / 3;
        let x = 4 * (tap % 2) + 2 * (pooled % 3) + own % 3;
        let weight = second[(3 + c) * 4 + tap] * first[c * 9 + own] / 9.0;
        expected[y * 11 + x] += weight;
    }
    for layer in ["conv2", "relu"] {
        let found = visualize(&mut lab, options(layer, 1), None).remove(0);
        assert_eq!([found.height, found.width], [11, 11]);
        assert_close(layer, &found.data, &expected, 1e-5);
        assert_eq!(found.note, None);
    }
    let bent = visualize(&mut lab, options("fc", 1), None).remove(0);
    assert!(
        bent.note
            .unwrap()
            .starts_with("The layers before this one are not linear")
    );
    assert_eq!(
        refusal(&mut lab, options("input", 0), None),
        "effective filter: expected a layer behind the input, found input"
    );
}
