//! Augmentations on the device: the same draws on every backend, nothing at strength 0, what each
//! promises of an image, and that training with all of them writes nothing and evaluation sees none.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;
#[path = "golden/hashed.rs"]
mod hashed;
#[path = "common/training.rs"]
mod training;

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::compile::compile;
use convscope::data::AUGMENTATIONS;
use convscope::graph::Graph;
use convscope::ops;
use convscope::tensor::{Spec, Tensor};
use convscope::train::{Pick, Plan, Session, read_view};
use pollster::block_on;
use serde_json::{Map, Value, json};

use common::adapters;
use hashed::hashed;
use training::session;

fn pick(id: &str, fields: &Value) -> Pick {
    Pick::augmentation(id, fields.as_object().unwrap()).unwrap()
}

/// Every augmentation at its default strength.
fn all() -> Vec<Pick> {
    let default = |id| pick(id, &json!({}));
    AUGMENTATIONS.iter().map(|info| default(info.id)).collect()
}

/// Eight versions of training image 3.
fn versions<B: Backend>(session: &Session<B>, picks: &[Pick], seed: u32) -> Vec<Tensor> {
    block_on(session.augmented(3, picks, 8, seed)).unwrap()
}

fn original<B: Backend>(session: &Session<B>) -> Tensor {
    session.data().dataset.train.image(3).unwrap()
}

fn distance(a: &Tensor, b: &Tensor) -> f32 {
    let pairs = a.to_vec().into_iter().zip(b.to_vec());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// `tests/golden/sampling.py` wrote the file.
#[test]
fn images_are_sampled_as_pytorch_samples_them() {
    #[derive(serde::Deserialize)]
    struct Golden {
        shape: [usize; 4],
        values: Vec<f32>,
    }
    let golden: Golden = serde_json::from_str(include_str!("golden/sampling.json")).unwrap();
    let [n, h, w, c] = golden.shape;
    let mut graph = Graph::new();
    let images = hashed(1, n * h * w * c);
    let images = graph.constant(golden.shape, &images).unwrap();
    let positions: Vec<f32> = hashed(2, n * h * w * 2)
        .iter()
        .map(|x| x * 4.0 + 2.0)
        .collect();
    let positions = graph.constant([n, h, w, 2], &positions).unwrap();
    let sampled = ops::sample2d(&mut graph, images, positions).unwrap();
    let compiled = compile(&graph, "sampling", &[sampled]).unwrap();
    let cpu = Cpu::new();
    let prepared = block_on(cpu.prepare(&compiled.program, &|_| None)).unwrap();
    cpu.run(&prepared, 1).unwrap();
    let found = block_on(read_view(&cpu, &prepared, compiled.outputs[0])).unwrap();
    assert_eq!(found.len(), golden.values.len());
    for (i, (a, b)) in found.iter().zip(&golden.values).enumerate() {
        assert!((a - b).abs() < 2e-6, "[{i}]: {a} not {b}");
    }
}

#[test]
fn the_same_seed_gives_the_same_images_on_every_backend() {
    for dataset in ["pen-digits", "shapes"] {
        let architecture = if dataset == "shapes" {
            "mini-vgg"
        } else {
            "lenet5"
        };
        let on_cpu = session(&Cpu::new(), dataset, architecture, 1);
        let mut choices: Vec<Vec<Pick>> = all().into_iter().map(|one| vec![one]).collect();
        choices.push(all());
        for gpu in adapters() {
            let on_gpu = session(&gpu, dataset, architecture, 1);
            for picks in &choices {
                let expected = versions(&on_cpu, picks, 5);
                for (a, b) in expected.iter().zip(versions(&on_gpu, picks, 5)) {
                    let distance = distance(a, &b);
                    // Positions agree to rounding, and no step of brightness is above 1.
                    assert!(
                        distance < 2e-4,
                        "{:?} on {dataset}: {distance}",
                        picks[0].id
                    );
                }
            }
        }
    }
}

#[test]
fn every_augmentation_changes_images_anew_with_every_seed_and_version() {
    let session = session(&Cpu::new(), "shapes", "mini-vgg", 1);
    let image = original(&session);
    for one in all() {
        let id = one.id.clone();
        let first = versions(&session, std::slice::from_ref(&one), 1);
        assert_eq!(
            versions(&session, std::slice::from_ref(&one), 1),
            first,
            "{id}"
        );
        let other =
            (2..12).any(|seed| versions(&session, std::slice::from_ref(&one), seed) != first);
        assert!(other, "{id}: another seed, another image");
        assert!(
            first.iter().any(|version| version != &image),
            "{id}: it does something"
        );
        assert!(
            first.windows(2).any(|pair| pair[0] != pair[1]),
            "{id}: versions differ"
        );
        for version in &first {
            let range = version
                .to_vec()
                .into_iter()
                .all(|x| (0.0..=1.0 + 1e-6).contains(&x));
            assert!(range, "{id}: stays in 0..1");
        }
    }
}

#[test]
fn nothing_is_done_at_strength_zero() {
    let none = [
        pick("shift", &json!({ "pixels": 0 })),
        pick("flip", &json!({ "probability": 0 })),
        pick("crop", &json!({ "padding": 0 })),
        pick("rotation", &json!({ "degrees": 0 })),
        pick("scale", &json!({ "factor": 1 })),
        pick("shear", &json!({ "degrees": 0 })),
        pick("elastic", &json!({ "alpha": 0 })),
        pick(
            "color-jitter",
            &json!({ "brightness": 0, "contrast": 0, "saturation": 0 }),
        ),
        pick("cutout", &json!({ "side": 0 })),
    ];
    let session = session(&Cpu::new(), "shapes", "mini-vgg", 1);
    let image = original(&session);
    for version in versions(&session, &none, 1) {
        assert!(distance(&version, &image) < 1e-6);
    }
}

/// `image`, `[c, h, w]`, with pixel (i, j) from `source(i, j)`, black where that is outside.
fn moved(image: &Tensor, source: impl Fn(i64, i64) -> (i64, i64)) -> Tensor {
    let [c, h, w] = <[usize; 3]>::try_from(image.shape().dims()).unwrap();
    let pixels = image.to_vec();
    Tensor::from_fn([c, h, w], |at| {
        let (i, j) = source((at / w % h) as i64, (at % w) as i64);
        let inside = (0..h as i64).contains(&i) && (0..w as i64).contains(&j);
        let plane = at / (h * w) * h * w;
        if inside {
            pixels[plane + i as usize * w + j as usize]
        } else {
            0.0
        }
    })
}

#[test]
fn a_flip_mirrors_and_a_crop_moves_whole_pixels() {
    let session = session(&Cpu::new(), "shapes", "mini-vgg", 1);
    let image = original(&session);
    let width = image.shape().dims()[2] as i64;
    let mirrored = moved(&image, |i, j| (i, width - 1 - j));
    for version in versions(&session, &[pick("flip", &json!({ "probability": 1 }))], 1) {
        assert!(distance(&version, &mirrored) < 1e-6);
    }
    let mut shifts = Vec::new();
    for seed in 0..8 {
        for version in versions(&session, &[pick("crop", &json!({ "padding": 2 }))], seed) {
            let candidates = (0..25).map(|k| (k / 5 - 2, k % 5 - 2));
            let is = |&(y, x): &(i64, i64)| {
                distance(&version, &moved(&image, |i, j| (i - y, j - x))) < 1e-6
            };
            shifts.push(
                candidates
                    .into_iter()
                    .find(is)
                    .expect("a shift by whole pixels"),
            );
        }
    }
    shifts.sort_unstable();
    shifts.dedup();
    assert!(shifts.len() > 15, "most of the 25 shifts occur: {shifts:?}");
}

#[test]
fn a_cutout_covers_at_most_its_square_with_the_mean_color() {
    let session = session(&Cpu::new(), "shapes", "mini-vgg", 1);
    let (means, _) = session.data().dataset.statistics();
    let image = original(&session).to_vec();
    let area = image.len() / 3;
    let mut most = 0;
    for version in versions(&session, &[pick("cutout", &json!({ "side": 6 }))], 1) {
        let version = version.to_vec();
        let changed: Vec<usize> = (0..image.len())
            .filter(|&i| image[i] != version[i])
            .collect();
        for &i in &changed {
            assert!((version[i] - means[i / area]).abs() < 1e-5);
        }
        most = most.max(changed.iter().filter(|&&i| i < area).count());
    }
    assert!((20..=36).contains(&most), "{most} pixels");
}

/// Uniform numbers have a variance of a third; each of two smoothings multiplies it by the sum of its squared
/// weights.
#[test]
fn elastic_displacements_are_as_large_and_as_smooth_as_simard_s() {
    let (alpha, sigma, side) = (34.0_f32, 4.0_f32, 64);
    let mut graph = Graph::new();
    let strengths = [alpha, sigma, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let strengths = graph.constant([8], &strengths).unwrap();
    let counters = graph.external("counters", Spec::u32([4])).unwrap();
    let extents = [16, side, side];
    let moved = ops::elastic_displacement(&mut graph, strengths, counters, extents).unwrap();
    let compiled = compile(&graph, "elastic", &[moved]).unwrap();
    let cpu = Cpu::new();
    let buffer = cpu.allocate("counters", 4).unwrap();
    let prepared = block_on(cpu.prepare(&compiled.program, &|_| Some(buffer.clone()))).unwrap();
    cpu.run(&prepared, 1).unwrap();
    let found = block_on(read_view(&cpu, &prepared, compiled.outputs[0])).unwrap();
    let root = |squares: f32| (squares / found.len() as f32).sqrt();
    let size = root(found.iter().map(|x| x * x).sum());
    let step = root(found.windows(3).map(|x| (x[2] - x[0]).powi(2)).sum());

    let weights: Vec<f32> = (-12..=12)
        .map(|k| (-0.5 * (k * k) as f32 / (sigma * sigma)).exp())
        .collect();
    let total: f32 = weights.iter().sum();
    let squares = weights.iter().map(|w| (w / total).powi(2)).sum::<f32>();
    let expected = alpha / 3.0_f32.sqrt() * squares;
    assert!(
        (size / expected - 1.0).abs() < 0.1,
        "{size} pixels, not {expected}"
    );
    // Neighbors of a smoothed field correlate by exp(-1 / 4 sigma^2); a few pairs span two rows.
    let rough = (2.0 - 2.0 * (-0.25 / (sigma * sigma)).exp()).sqrt();
    assert!(step < 2.0 * rough * size, "{step} between neighbors");
}

/// Luma of ITU-R BT.601 of every pixel.
fn gray(image: &Tensor) -> Vec<f32> {
    let planes = image.to_vec();
    let area = planes.len() / 3;
    let luma =
        |i: usize| 0.299 * planes[i] + 0.587 * planes[i + area] + 0.114 * planes[i + 2 * area];
    (0..area).map(luma).collect()
}

#[test]
fn each_part_of_color_jitter_keeps_what_it_should() {
    let session = session(&Cpu::new(), "shapes", "mini-vgg", 1);
    let image = original(&session);
    let jittered = |name: &str| {
        let mut fields = json!({ "brightness": 0, "contrast": 0, "saturation": 0 });
        // So little that no value is limited.
        fields[name] = json!(0.02);
        versions(&session, &[pick("color-jitter", &fields)], 3)
    };
    let pixels = image.to_vec();
    let inner: Vec<usize> = (0..pixels.len())
        .filter(|&i| (0.1..0.9).contains(&pixels[i]))
        .collect();
    assert!(inner.len() > 100, "{}", inner.len());
    for version in jittered("brightness") {
        let version = version.to_vec();
        let factor = version[inner[0]] / pixels[inner[0]];
        assert!((factor - 1.0).abs() < 0.021);
        assert!(
            inner
                .iter()
                .all(|&i| (version[i] - factor * pixels[i]).abs() < 1e-5)
        );
    }
    let mean = |image: &Tensor| gray(image).iter().sum::<f32>() / gray(image).len() as f32;
    for version in jittered("contrast") {
        assert!(
            (mean(&version) - mean(&image)).abs() < 2e-3,
            "the mean gray stays"
        );
    }
    for version in jittered("saturation") {
        let pairs = gray(&version).into_iter().zip(gray(&image));
        let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < 1.5e-2, "grays stay where nothing is limited: {most}");
    }
}

fn plan(augmentations: Vec<Pick>) -> Plan {
    Plan {
        augmentations,
        ..Plan::new("sgd", &Map::new(), 4).unwrap()
    }
}

fn losses<B: Backend>(session: &mut Session<B>, plan: &Plan, steps: u32) -> Vec<f32> {
    block_on(session.prepare(plan)).unwrap();
    let mut metrics = block_on(session.advance(steps)).unwrap();
    metrics.extend(block_on(session.drain()).unwrap());
    metrics.into_iter().map(|step| step.loss).collect()
}

#[test]
fn training_with_every_augmentation_follows_the_cpu_and_writes_nothing() {
    let on_cpu = losses(
        &mut session(&Cpu::new(), "shapes", "mini-vgg", 1),
        &plan(all()),
        3,
    );
    for gpu in adapters() {
        let mut session = session(&gpu, "shapes", "mini-vgg", 1);
        let on_gpu = losses(&mut session, &plan(all()), 3);
        for (a, b) in on_cpu.iter().zip(&on_gpu) {
            assert!((a - b).abs() < 1e-3 * a, "{on_cpu:?} and {on_gpu:?}");
        }
        gpu.counters();
        block_on(session.advance(4)).unwrap();
        let counters = gpu.counters();
        let created = counters.buffers_created + counters.bind_groups_created;
        assert_eq!((created, counters.bytes_written), (0, 0));
    }
}

#[test]
fn strengths_change_without_a_new_program() {
    let cpu = Cpu::new();
    let mut session = session(&cpu, "pen-digits", "lenet5", 1);
    let weak = losses(
        &mut session,
        &plan(vec![pick("shift", &json!({ "pixels": 0 }))]),
        1,
    );
    cpu.counters();
    let strong = plan(vec![pick("rotation", &json!({ "degrees": 90 }))]);
    block_on(session.prepare(&strong)).unwrap();
    assert_eq!(cpu.counters().buffers_created, 0);
    session.reset(1).unwrap();
    assert_ne!(losses(&mut session, &strong, 1), weak);
}

#[test]
fn evaluation_sees_no_augmentation() {
    let evaluate = |augmentations| {
        let mut session = session(&Cpu::new(), "pen-digits", "lenet5", 1);
        block_on(session.prepare(&plan(augmentations))).unwrap();
        let mut evaluation = block_on(session.evaluation("train")).unwrap();
        while !block_on(evaluation.advance(1)).unwrap() {}
        block_on(evaluation.report()).unwrap()
    };
    assert_eq!(evaluate(all()), evaluate(Vec::new()));
}
