//! The networks of the literature: parameters and multiply-adds as PyTorch counts them
//! (`tests/golden/counts.py` wrote the file), descriptions that survive JSON, memory that is what the
//! compiler plans, and refusals of what does not fit.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;

use std::path::Path;
use std::rc::Rc;

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::compile::compile;
use convscope::data::{self, Split};
use convscope::error::{Cause, Error};
use convscope::field::FieldKind;
use convscope::graph::Graph;
use convscope::nn::{Mode, Network, NetworkSpec};
use convscope::program::Contents;
use convscope::tensor::Spec;
use convscope::train::{Loaded, Plan, Session};
use convscope::zoo::{self, ARCHITECTURES, Architecture};
use pollster::block_on;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use common::adapters;

/// What PyTorch counts of one variant of a network.
#[derive(Deserialize)]
struct Row {
    network: String,
    options: Map<String, Value>,
    input: [usize; 3],
    classes: usize,
    params: usize,
    macs: u64,
    source: String,
}

#[test]
fn parameters_and_multiply_adds_are_those_that_pytorch_counts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/counts.json");
    let rows: Vec<Row> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut complaints = Vec::new();
    for row in &rows {
        let spec = zoo::spec(&row.network, &row.options, row.input, row.classes).unwrap();
        let network = Network::new(&spec).unwrap();
        let (found, expected) = ((network.params(), network.macs()), (row.params, row.macs));
        if found != expected {
            let (id, options) = (&row.network, Value::from(row.options.clone()));
            let source = &row.source;
            complaints.push(format!(
                "{id} {options}: {found:?}, not {expected:?} ({source})"
            ));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    for entry in ARCHITECTURES.iter().filter(|entry| entry.full) {
        assert!(
            rows.iter().any(|row| row.network == entry.id),
            "{} is counted by nothing but itself",
            entry.id
        );
    }
}

/// Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, the table
/// of networks: receptive field and stride of the last maps.
#[test]
fn receptive_fields_are_those_of_the_literature() {
    for (id, options, layer, size, stride) in [
        ("alexnet", json!({}), "pool5", 195, 32),
        ("vgg", json!({ "depth": "16" }), "pool5", 212, 32),
        ("resnet", json!({ "depth": "50" }), "stage4_3", 483, 32),
        ("resnet", json!({ "depth": "101" }), "stage4_3", 1027, 32),
        ("resnet", json!({ "depth": "152" }), "stage4_3", 1507, 32),
        ("mobilenet-v1", json!({}), "separable13", 315, 32),
    ] {
        let entry = zoo::find(id).unwrap();
        let options = options.as_object().unwrap();
        let spec = zoo::spec(id, options, entry.input, entry.classes).unwrap();
        let network = Network::new(&spec).unwrap();
        let field = network.layer(layer).unwrap().1.receptive_field;
        assert_eq!(field.size, [size; 2], "{id} {layer}");
        assert_eq!(field.stride, [stride; 2], "{id} {layer}");
        // What the first output sees is centered where its window, padding included, is.
        let middle = field.offset[0] as f64 + (size as f64 - 1.0) / 2.0;
        assert_eq!(field.center(), [middle; 2], "{id} {layer}");
    }
}

/// An architecture with each of its choices and switches in turn, and otherwise the defaults.
fn variants(entry: &Architecture) -> Vec<Map<String, Value>> {
    let mut all = vec![Map::new()];
    for field in (entry.fields)() {
        let values: Vec<Value> = match field.kind {
            FieldKind::Choice { options, .. } => options.into_iter().map(Value::from).collect(),
            FieldKind::Bool { default } => vec![json!(!default)],
            FieldKind::Number { .. } | FieldKind::Integer { .. } => Vec::new(),
        };
        all.extend(
            values
                .into_iter()
                .map(|value| Map::from_iter([(field.name.clone(), value)])),
        );
    }
    all
}

#[test]
fn every_variant_survives_json_and_the_expansion_of_its_blocks() {
    for entry in ARCHITECTURES {
        for options in variants(entry) {
            let what = format!("{} {}", entry.id, Value::from(options.clone()));
            let spec = match zoo::spec(entry.id, &options, entry.input, entry.classes) {
                Ok(spec) => spec,
                Err(error) => panic!("{what}: {error}"),
            };
            assert_eq!(spec.name, entry.name, "the page finds it by its name");
            let text = serde_json::to_string_pretty(&spec).unwrap();
            assert_eq!(NetworkSpec::from_json(&text).unwrap(), spec, "{what}");
            let expanded = spec.expanded().unwrap();
            let text = serde_json::to_string(&expanded).unwrap();
            assert_eq!(NetworkSpec::from_json(&text).unwrap(), expanded, "{what}");
            assert_eq!(expanded.expanded().unwrap(), expanded, "{what}");
            let short = Network::new(&spec).unwrap_or_else(|error| panic!("{what}: {error}"));
            let long = Network::new(&expanded).unwrap();
            assert_eq!(short.layers, long.layers, "{what}");
            assert_eq!(short.parameters, long.parameters, "{what}");
        }
    }
}

#[test]
fn a_network_that_does_not_fit_is_refused_before_anything_is_allocated() {
    let [vgg, resnet] = ["vgg", "resnet"].map(|id| {
        let entry = zoo::find(id).unwrap();
        let spec = zoo::spec(id, &Map::new(), entry.input, entry.classes).unwrap();
        Network::new(&spec).unwrap()
    });
    let sentence =
        |network: &Network, batch, limit| network.check_fits(batch, limit).unwrap_err().to_string();
    assert_eq!(
        sentence(&vgg, 1, 1 << 28),
        "VGG: the parameters in one buffer, fc6.weight alone 411041792: needs 553430272 bytes, the \
         limit is 268435456 bytes"
    );
    assert_eq!(resnet.check_fits(32, 1 << 27), Ok(()));
    assert_eq!(
        sentence(&resnet, 64, 1 << 27),
        "ResNet: stem_conv for 64 images: needs 205520896 bytes, the limit is 134217728 bytes"
    );
}

/// A session on `images` drawn images of this architecture's own shape.
fn session(entry: &Architecture, options: &Value, images: usize) -> Result<Session<Cpu>, Error> {
    session_on(&Cpu::new(), entry, options, images)
}

fn session_on<B: Backend>(
    backend: &B,
    entry: &Architecture,
    options: &Value,
    images: usize,
) -> Result<Session<B>, Error> {
    let id = match entry.input {
        [1, ..] => "pen-digits",
        _ => "shapes",
    };
    let size = json!({ "train": 100, "test": 100 });
    let mut dataset = data::generate(id, size.as_object().unwrap())?;
    let bytes = dataset.shape.iter().product::<usize>() * images;
    let (pixels, labels) = (dataset.train.images(), dataset.train.labels());
    let (pixels, labels) = (pixels[..bytes].to_vec(), labels[..images].to_vec());
    dataset.train = Split::new(dataset.shape, pixels, labels)?;
    let options = options.as_object().unwrap();
    let spec = zoo::spec(entry.id, options, dataset.shape, dataset.classes.len())?;
    let data = Rc::new(Loaded::new(backend, dataset)?);
    Session::new(backend, data, Network::new(&spec)?, 1)
}

fn plan(optimizer: &str, settings: &Value, batch: usize) -> Plan {
    Plan::new(optimizer, settings.as_object().unwrap(), batch).unwrap()
}

#[test]
fn the_trainer_refuses_what_the_backend_cannot_hold() {
    let dataset = data::generate("shapes", &Map::new()).unwrap();
    let wide = json!({ "name": "wide", "input": dataset.shape, "classes": 10, "nodes": [
        { "kind": "flatten" }, { "id": "fc", "kind": "dense", "units": 65_536 }, { "kind": "dense" } ] });
    let network = Network::new(&NetworkSpec::from_json(&wide.to_string()).unwrap()).unwrap();
    let cpu = Cpu::new();
    let data = Rc::new(Loaded::new(&cpu, dataset).unwrap());
    let before = cpu.counters().gpu_bytes;
    let error = Session::new(&cpu, data.clone(), network, 1).unwrap_err();
    assert!(matches!(error.cause(), Cause::Memory { .. }), "{error}");
    assert!(error.to_string().contains("fc.weight"), "{error}");
    assert_eq!(cpu.counters().gpu_bytes, before);
}

/// The estimate is the layers' outputs; the compiler's plan has temporaries beside them, and leaves out
/// what another kernel carries at its end. Attention keeps the most beside its output (1.8 times the estimate).
#[test]
fn training_memory_is_about_what_the_compiler_plans() {
    for entry in ARCHITECTURES.iter().filter(|entry| !entry.full) {
        let batch = 16;
        let session = session(entry, &json!({}), 100).unwrap();
        let program = session
            .step_program(&plan("sgd", &json!({}), batch))
            .unwrap();
        let planned: usize = program
            .buffers
            .iter()
            .filter(|buffer| buffer.contents == Contents::Scratch)
            .map(|buffer| buffer.words * 4)
            .sum();
        let memory = session.network().training_memory(batch, 1);
        let estimate = memory.gradients + memory.activations;
        let ratio = planned as f64 / estimate as f64;
        println!("{}: {ratio:.2}", entry.id);
        assert!(
            (0.5..2.0).contains(&ratio),
            "{}: {planned} planned, {estimate} estimated",
            entry.id
        );
    }
}

/// Class scores of one square gray image.
fn scores(network: &Network, image: &[f32]) -> Vec<f32> {
    let side = network.spec.input[1];
    let mut graph = Graph::new();
    let x = graph.external("x", Spec::f32([1, side, side, 1])).unwrap();
    let built = network.build(&mut graph, x, Mode::Eval).unwrap();
    let compiled = compile(&graph, "scores", &[built.logits]).unwrap();
    let (parameters, statistics) = network.initial(3);
    let cpu = Cpu::new();
    let buffer = |floats: &[f32]| {
        let buffer = cpu.allocate("scores", floats.len()).unwrap();
        cpu.upload(&buffer, 0, bytemuck::cast_slice(floats))
            .unwrap();
        buffer
    };
    let buffers = [
        ("x", buffer(image)),
        ("parameters", buffer(&parameters)),
        ("statistics", buffer(&statistics)),
    ];
    let find = |name: &str| {
        let found = buffers.iter().find(|(known, _)| *known == name);
        found.map(|(_, buffer)| buffer.clone())
    };
    let prepared = block_on(cpu.prepare(&compiled.program, &find)).unwrap();
    cpu.run(&prepared, 1).unwrap();
    let view = &compiled.outputs[0];
    let buffer = cpu.buffer(&prepared, view.buffer);
    let words = block_on(cpu.read(&buffer, view.offset, view.words)).unwrap();
    words.into_iter().map(f32::from_bits).collect()
}

/// Cohen & Welling 2016: what a network over p4 (p4m) says of an image it says of the turned (and reflected)
/// image, too; an ordinary one does not.
#[test]
fn group_equivariant_networks_do_not_mind_turned_images() {
    let entry = zoo::find("p4cnn").unwrap();
    let side = entry.input[1];
    let image: Vec<f32> = (0..side * side).map(|i| (i as f32 * 0.37).sin()).collect();
    let moved = |source: fn([usize; 2], usize) -> [usize; 2]| -> Vec<f32> {
        let pixel = |i: usize| {
            let [y, x] = source([i / side, i % side], side);
            image[y * side + x]
        };
        (0..side * side).map(pixel).collect()
    };
    let turned = moved(|[y, x], side| [x, side - 1 - y]);
    let reflected = moved(|[y, x], side| [y, side - 1 - x]);
    for (group, turns, reflections) in [
        ("z2", false, false),
        ("p4", true, false),
        ("p4m", true, true),
    ] {
        let options = Map::from_iter([("group".to_owned(), json!(group))]);
        let spec = zoo::spec(entry.id, &options, entry.input, entry.classes).unwrap();
        let network = Network::new(&spec).unwrap();
        let before = scores(&network, &image);
        let same = |image: &[f32]| {
            let after = scores(&network, image);
            let mut pairs = before.iter().zip(&after);
            pairs.all(|(a, b)| (a - b).abs() < 1e-5 * (1.0 + a.abs()))
        };
        assert_eq!(same(&turned), turns, "{group} turned");
        assert_eq!(same(&reflected), reflections, "{group} reflected");
    }
}

/// Every network that is offered for training learns within one short run: of a few images, the loss is at
/// most half of what it was at the beginning. Those that do not like the first learning rate get the second.
#[test]
fn every_browser_size_network_halves_its_loss() {
    halve_their_losses(&Cpu::new());
}

/// The same takes lavapipe four minutes; that every network follows the CPU on every adapter is tested in
/// `tests/training.rs`, in less.
#[test]
#[ignore = "slow; run by name with --ignored"]
fn every_browser_size_network_halves_its_loss_on_a_gpu() {
    adapters().iter().take(1).for_each(halve_their_losses);
}

fn halve_their_losses<B: Backend>(backend: &B) {
    let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
    for entry in ARCHITECTURES.iter().filter(|entry| !entry.full) {
        let learns = |rate: f64| {
            let mut session = session_on(backend, entry, &without_dropout(entry), 24).unwrap();
            let plan = plan("adam", &json!({ "learningRate": rate }), 12);
            block_on(session.prepare(&plan)).unwrap();
            let mut losses: Vec<f32> = Vec::new();
            while losses.len() < 80 {
                block_on(session.advance(4)).unwrap();
                let steps = block_on(session.drain()).unwrap();
                losses.extend(steps.iter().map(|step| step.loss));
                // Two passes over the images.
                let latest = &losses[losses.len() - 4..];
                if losses.len() > 4 && mean(latest) <= 0.5 * losses[0] {
                    eprintln!("{}: {} steps at {rate}", entry.id, losses.len());
                    return true;
                }
            }
            eprintln!("{}: not at {rate}, {losses:?}", entry.id);
            false
        };
        assert!(learns(0.003) || learns(0.0005), "{}", entry.id);
    }
}

/// Dropout hides in the training loss what has been learned.
fn without_dropout(entry: &Architecture) -> Value {
    let fields = (entry.fields)();
    let dropout = fields.iter().find(|field| field.name == "dropout");
    match dropout.map(|field| &field.kind) {
        Some(FieldKind::Number { .. }) => json!({ "dropout": 0.0 }),
        Some(FieldKind::Bool { .. }) => json!({ "dropout": false }),
        _ => json!({}),
    }
}
