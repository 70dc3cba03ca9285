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
    let told = format!("· 128 test images · {share:.1e}");
    let told = told.split('e').next().unwrap().to_owned();
    assert!(fc[5].title.contains(&told), "{}, not {told}", fc[5].title);
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
