//! Splits, statistics, and what holds for every generated dataset.

use serde_json::json;

use super::{DATASETS, Dataset, Split, generate};

/// Dataset `id` at a small size with these options on top.
fn small(id: &str, options: &serde_json::Value) -> Dataset {
    let mut all = json!({ "train": 200, "test": 100 })
        .as_object()
        .unwrap()
        .clone();
    all.extend(options.as_object().unwrap().clone());
    generate(id, &all).unwrap()
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn splits_give_images_in_nchw_and_words_in_nhwc() {
    // Two images of 2 channels, 1 row, 3 columns: 6 bytes each, padded to 8.
    let split = Split::new([2, 1, 3], (1..=12).map(|i| i * 17).collect(), vec![4, 0]).unwrap();
    let image = split.image(1).unwrap();
    assert_eq!(image.shape().dims(), [2, 1, 3]);
    let expected = [7, 9, 11, 8, 10, 12].map(|i: u8| f32::from(i * 17) / 255.0);
    assert_eq!(image.to_vec(), expected);
    let words = split.words();
    assert_eq!(words.images, [0x4433_2211, 0x6655, 0xaa99_8877, 0xccbb]);
    assert_eq!(words.labels, [4, 0]);
    let sentence = "dataset image: expected an index below 2, found 2";
    assert_eq!(split.image(2).unwrap_err().to_string(), sentence);
    let sentence = "dataset split: expected 2 images of [2, 1, 3] bytes each, found 11 bytes";
    let short = Split::new([2, 1, 3], vec![0; 11], vec![0; 2]);
    assert_eq!(short.unwrap_err().to_string(), sentence);
    assert!(Split::new([usize::MAX, 2, 2], vec![], vec![0]).is_err());
}

#[test]
fn statistics_are_those_of_each_channel() {
    let split = |images| Split::new([2, 1, 2], images, vec![0]).unwrap();
    let dataset = Dataset {
        name: "two pixels".into(),
        doc: String::new(),
        classes: vec!["0".into()],
        shape: [2, 1, 2],
        train: split(vec![0, 51, 255, 51]),
        test: split(vec![9; 4]),
    };
    assert_eq!(dataset.statistics(), (vec![0.5, 0.2], vec![0.5, 0.0]));
}

#[test]
fn every_generated_dataset_is_whole() {
    for info in DATASETS {
        let dataset = small(info.id, &json!({}));
        assert_eq!(
            (dataset.train.len(), dataset.test.len()),
            (200, 100),
            "{}",
            info.id
        );
        assert_eq!(dataset.name, info.name);
        for split in [&dataset.train, &dataset.test] {
            for class in 0..dataset.classes.len() {
                let count = split
                    .labels()
                    .iter()
                    .filter(|&&l| usize::from(l) == class)
                    .count();
                assert!(count > 0, "{}: no {}", info.id, dataset.classes[class]);
            }
        }
        let (_, deviation) = dataset.statistics();
        assert!(
            deviation.iter().all(|&d| d > 0.1),
            "{}: {deviation:?}",
            info.id
        );
        assert_ne!(
            dataset.train.images()[..1000],
            dataset.test.images()[..1000]
        );
    }
}

#[test]
fn the_same_seed_draws_the_same_bytes() {
    // Literals: the bytes must not change between machines, nor between releases without notice.
    for (id, train, test) in [
        ("pen-digits", 0x6d49_17a7_e1a2_6fbf, 0xba73_cfc9_ecf0_1448),
        ("shapes", 0x16bc_9098_1521_012a, 0x4ab5_cb2a_d571_c64c),
    ] {
        let dataset = small(id, &json!({}));
        let hashes = [&dataset.train, &dataset.test].map(|split| hash(split.images()));
        assert_eq!(hashes, [train, test], "{id}: {hashes:#x?}");
        assert_eq!(small(id, &json!({ "seed": 1 })), dataset);
        assert_ne!(small(id, &json!({ "seed": 2 })).train, dataset.train);
        let longer = small(id, &json!({ "train": 300 }));
        assert!(longer.train.images().starts_with(dataset.train.images()));
        assert_eq!(longer.test, dataset.test);
    }
}

#[test]
fn label_noise_changes_only_training_labels() {
    for info in DATASETS {
        let options = |noise: f64| json!({ "train": 2000, "labelNoise": noise });
        let (clean, noisy) = (small(info.id, &options(0.0)), small(info.id, &options(0.3)));
        assert_eq!(clean.train.images(), noisy.train.images());
        assert_eq!(clean.test, noisy.test);
        let pairs = clean.train.labels().iter().zip(noisy.train.labels());
        let changed = pairs.filter(|(a, b)| a != b).count();
        // 600 are expected, with a standard deviation of 20.
        assert!(
            (500..700).contains(&changed),
            "{}: {changed} of 2000",
            info.id
        );
    }
}

#[test]
fn difficulty_changes_the_images() {
    for info in DATASETS {
        let easy = small(info.id, &json!({ "difficulty": 0 }));
        let hard = small(info.id, &json!({ "difficulty": 1 }));
        assert_ne!(easy.train.images(), hard.train.images(), "{}", info.id);
    }
}

#[test]
fn unknown_and_impossible_options_are_refused() {
    for (id, options, sentence) in [
        (
            "letters",
            json!({}),
            "unknown dataset \"letters\"; known: pen-digits, shapes",
        ),
        (
            "shapes",
            json!({ "train": 99 }),
            "shapes.train: expected a whole number from 100 to 60000, found 99",
        ),
        (
            "pen-digits",
            json!({ "labelNoise": 0.6 }),
            "pen-digits.labelNoise: expected a number from 0 to 0.5, found 0.6",
        ),
    ] {
        let error = generate(id, options.as_object().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), sentence);
    }
}
