//! What a user loses if training breaks: the same seed gives the same run, the GPU follows the CPU,
//! a network fits its data, and steady state creates nothing.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;
#[path = "common/training.rs"]
mod training;

use std::io::Write as _;
use std::rc::Rc;

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::backend::gpu::Gpu;
use convscope::data;
use convscope::field::Values;
use convscope::nn::Network;
use convscope::program::Family;
use convscope::tensor::Tensor;
use convscope::train::{Evaluation, Loaded, Plan, Session};
use convscope::zoo::ARCHITECTURES;
use pollster::block_on;
use serde_json::{Map, Value, json};

use common::adapters;
use training::{session, session_within};

fn plan(optimizer: &str, settings: &Value, batch: usize) -> Plan {
    Plan::new(optimizer, settings.as_object().unwrap(), batch).unwrap()
}

/// Losses of `steps` steps.
fn losses<B: Backend>(session: &mut Session<B>, plan: &Plan, steps: u32) -> Vec<f32> {
    block_on(session.prepare(plan)).unwrap();
    let mut metrics = block_on(session.advance(steps)).unwrap();
    metrics.extend(block_on(session.drain()).unwrap());
    assert_eq!(metrics.len(), steps as usize);
    metrics.into_iter().map(|step| step.loss).collect()
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_gives_another() {
    let plan = plan("sgd", &json!({}), 8);
    let run = |seed| {
        let mut session = session(&Cpu::new(), "pen-digits", "lenet5", seed);
        let losses = losses(&mut session, &plan, 5);
        (losses, block_on(session.parameters()).unwrap())
    };
    let (first, again, other) = (run(1), run(1), run(2));
    assert_eq!(first, again, "bit for bit");
    assert_ne!(first.0, other.0);
}

/// A dataset above the adapter's binding limit lies in several buffers: nothing else may change.
#[test]
fn a_dataset_in_several_buffers_trains_as_in_one() {
    let plan = plan("sgd", &json!({}), 8);
    // 200 images of 784 bytes, at most 45 of them in a buffer.
    let limit = 45 * 784 + 3;
    let whole = losses(
        &mut session(&Cpu::new(), "pen-digits", "lenet5", 1),
        &plan,
        5,
    );
    let mut parts = session_within(&Cpu::new(), "pen-digits", "lenet5", 1, limit);
    assert_eq!(losses(&mut parts, &plan, 5), whole);
    for gpu in adapters() {
        let mut whole = session(&gpu, "pen-digits", "lenet5", 1);
        let mut parts = session_within(&gpu, "pen-digits", "lenet5", 1, limit);
        assert_eq!(losses(&mut parts, &plan, 5), losses(&mut whole, &plan, 5));
    }
    let dataset = data::generate("pen-digits", &Map::new()).unwrap();
    let refused = Loaded::within(&Cpu::new(), dataset, 784 * 10).unwrap_err();
    assert!(refused.to_string().contains("train split"), "{refused}");
}

#[test]
fn resetting_is_starting_again() {
    let plan = plan("adam", &json!({}), 8);
    let mut session = session(&Cpu::new(), "pen-digits", "lenet5", 3);
    let first = losses(&mut session, &plan, 4);
    session.reset(3).unwrap();
    assert_eq!(losses(&mut session, &plan, 4), first);
}

/// Pausing while kernels are compiled leaves nothing of the plan that was given up.
#[test]
fn a_preparation_that_is_given_up_leaves_no_trace() {
    let sgd = plan("sgd", &json!({}), 8);
    let mut session = session(&Cpu::new(), "pen-digits", "lenet5", 3);
    let first = losses(&mut session, &sgd, 4);
    for other in [plan("adam", &json!({}), 8), plan("sgd", &json!({}), 16)] {
        drop(session.begin_prepare(&other).unwrap());
        let refused = block_on(session.advance(1)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "training: expected a prepared step, found none"
        );
        session.reset(3).unwrap();
        assert_eq!(losses(&mut session, &sgd, 4), first);
    }
}

#[test]
fn a_network_can_learn_forty_images_by_heart() {
    let options = json!({ "train": 100, "test": 100 });
    let dataset = data::generate("pen-digits", options.as_object().unwrap()).unwrap();
    let info = ARCHITECTURES
        .iter()
        .find(|info| info.id == "lenet5")
        .unwrap();
    let values = Values::check(info.id, &(info.fields)(), &Map::new()).unwrap();
    let spec = (info.spec)(&values, dataset.shape, dataset.classes.len()).unwrap();
    let cpu = Cpu::new();
    let data = Rc::new(Loaded::new(&cpu, dataset).unwrap());
    let mut session = Session::new(&cpu, data, Network::new(&spec).unwrap(), 1).unwrap();
    let losses = losses(
        &mut session,
        &plan("adam", &json!({ "learningRate": 0.002 }), 50),
        120,
    );
    assert!(losses[0] > 1.5, "{}", losses[0]);
    assert!(losses[119] < 0.05, "{}", losses[119]);
}

/// The GPU's losses stay within 1e-3 of the CPU's, relative, for the first steps. Later ones drift apart as
/// rounding differences grow, on any two machines.
fn assert_follows(gpu: &Gpu, [dataset, architecture]: [&str; 2], plan: &Plan) {
    let on_cpu = losses(&mut session(&Cpu::new(), dataset, architecture, 1), plan, 3);
    let on_gpu = losses(&mut session(gpu, dataset, architecture, 1), plan, 3);
    for (step, (a, b)) in on_cpu.iter().zip(&on_gpu).enumerate() {
        let difference = (a - b).abs() / a.abs().max(1e-3);
        let (adapter, optimizer) = (gpu.adapter().name, &plan.optimizer.id);
        assert!(
            difference < 1e-3,
            "{architecture}, {optimizer}, step {step} on {adapter}: {a} and {b}"
        );
    }
}

/// Both optimizers at the rates that people train with, each through another form of the kernels.
#[test]
fn the_gpu_follows_the_cpu() {
    for gpu in adapters() {
        for names in TRAINED {
            for (family, plan) in [
                (
                    Family::Software,
                    plan("sgd", &json!({ "learningRate": 0.01 }), 4),
                ),
                (
                    Family::Gpu,
                    plan("adam", &json!({ "learningRate": 0.001 }), 4),
                ),
            ] {
                gpu.set_family(family);
                assert_follows(&gpu, names, &plan);
            }
        }
    }
}

/// Networks that every adapter trains through both forms of the kernels, at the rates that people train with.
const TRAINED: [[&str; 2]; 4] = [
    ["pen-digits", "lenet5"],
    ["pen-digits", "lenet5-1998"],
    ["shapes", "mini-vgg"],
    ["shapes", "resnet20"],
];

/// Every other network that is offered for training on one adapter, also those that enlarge any difference: at small
/// rates, and SGD and Adam take turns, so that a software adapter gets through them all.
fn follows_through_every_network(number: usize) {
    let trained = |id: &str| TRAINED.iter().any(|[_, trained]| *trained == id);
    let offered = ARCHITECTURES.iter().filter(|entry| !entry.full);
    let others = offered.filter(|entry| !trained(entry.id));
    let plans = [
        plan("sgd", &json!({ "learningRate": 0.001 }), 4),
        plan("adam", &json!({ "learningRate": 0.0001 }), 4),
    ];
    let Some(gpu) = adapters().into_iter().nth(number) else {
        let number = number + 1;
        // Past the test harness, which shows nothing of a test that passes.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no Vulkan adapter number {number}"
        );
        return;
    };
    for (index, (entry, plan)) in others.zip(plans.iter().cycle()).enumerate() {
        // Two adapters run each network through both forms. The first, SwiftShader where it is there, takes twice as
        // long for barriers: it has the form with them for one network in four.
        let barriers = (index % 4 == 1) == (number == 0);
        gpu.set_family(if barriers {
            Family::Gpu
        } else {
            Family::Software
        });
        let dataset = match entry.input {
            [1, ..] => "pen-digits",
            _ => "shapes",
        };
        assert_follows(&gpu, [dataset, entry.id], plan);
    }
}

#[test]
fn the_gpu_follows_the_cpu_through_every_network() {
    follows_through_every_network(0);
}

/// A test of its own, because adapters compile on one core.
#[test]
fn another_gpu_follows_the_cpu_through_every_network() {
    follows_through_every_network(1);
}

#[test]
fn steady_state_creates_nothing_and_submits_once_per_slice() {
    for gpu in adapters() {
        let mut session = session(&gpu, "pen-digits", "lenet5", 1);
        block_on(session.prepare(&plan("sgd", &json!({}), 4))).unwrap();
        for _ in 0..3 {
            block_on(session.advance(2)).unwrap();
        }
        gpu.counters();
        for _ in 0..4 {
            block_on(session.advance(2)).unwrap();
        }
        let counters = gpu.counters();
        assert_eq!(counters.buffers_created, 0);
        assert_eq!(counters.bind_groups_created, 0);
        assert_eq!(counters.bytes_written, 0);
        assert_eq!(
            counters.submits, 4,
            "the steps and the metrics' copy together"
        );
        assert!(counters.dispatches > 0);
    }
}

#[test]
fn ten_thousand_steps_take_no_more_memory_than_a_hundred() {
    let cpu = Cpu::new();
    let mut session = session(&cpu, "pen-digits", "lenet5", 1);
    block_on(session.prepare(&plan("sgd", &json!({ "learningRate": 0.001 }), 1))).unwrap();
    let mut run = |steps: u32| {
        for _ in 0..steps / 100 {
            block_on(session.advance(100)).unwrap();
        }
        cpu.counters()
    };
    let early = run(100);
    let late = run(9900);
    assert_eq!(late.gpu_bytes, early.gpu_bytes);
    assert_eq!(late.buffers_created, 0);
    assert_eq!(late.bytes_written, 0);
}

/// Launches cost as much as small kernels: what the compiler has saved must not creep back.
#[test]
fn a_step_dispatches_no_more_than_it_has_to() {
    for (dataset, architecture, most) in [
        ("pen-digits", "lenet5", [16, 17]),
        ("shapes", "mini-vgg", [44, 47]),
        ("shapes", "resnet20", [110, 123]),
    ] {
        let session = session(&Cpu::new(), dataset, architecture, 1);
        let program = session.step_program(&plan("sgd", &json!({}), 64)).unwrap();
        for (family, most) in [Family::Software, Family::Gpu].into_iter().zip(most) {
            let found = program.launches(family).len();
            assert!(
                found <= most,
                "{architecture}, {family:?}: {found} dispatches, at most {most}"
            );
        }
    }
}

/// A plain step moves each parameter by the learning rate times its gradient.
fn first_move(clipping: [f32; 2]) -> (f32, f32) {
    let mut session = session(&Cpu::new(), "pen-digits", "lenet5", 1);
    let numbers = |named: Vec<(String, Tensor)>| -> Vec<f32> {
        named
            .into_iter()
            .flat_map(|(_, tensor)| tensor.to_vec())
            .collect()
    };
    let before = numbers(block_on(session.parameters()).unwrap());
    let plan = Plan {
        clipping,
        ..plan("descent", &json!({ "learningRate": 1.0 }), 4)
    };
    losses(&mut session, &plan, 1);
    let after = numbers(block_on(session.parameters()).unwrap());
    let moves = before.iter().zip(&after).map(|(a, b)| (a - b).abs());
    let norm = moves.clone().map(|x| x * x).sum::<f32>().sqrt();
    (norm, moves.fold(0.0, f32::max))
}

#[test]
fn clipping_limits_what_a_step_sees() {
    let (norm, largest) = first_move([0.0, 0.0]);
    let (limited, _) = first_move([0.5 * norm, 0.0]);
    assert!((limited / norm - 0.5).abs() < 1e-3, "{limited} of {norm}");
    let (within, _) = first_move([2.0 * norm, 0.0]);
    assert!((within / norm - 1.0).abs() < 1e-3, "{within} of {norm}");
    let (_, limited) = first_move([0.0, 0.25 * largest]);
    assert!(
        (limited / largest - 0.25).abs() < 1e-3,
        "{limited} of {largest}"
    );
}

fn evaluated<B: Backend>(mut evaluation: Evaluation<B>) -> f32 {
    while !block_on(evaluation.advance(10)).unwrap() {}
    block_on(evaluation.report()).unwrap().loss
}

#[test]
fn the_average_of_the_weights_can_be_evaluated() {
    let mut session = session(&Cpu::new(), "pen-digits", "lenet5", 1);
    let refusal = block_on(session.averaged_evaluation("test")).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "averaged evaluation: expected training with weight averaging first, found none"
    );
    let start = evaluated(block_on(session.evaluation("test")).unwrap());
    let averaging = |decay| Plan {
        averaging: decay,
        ..plan("adam", &json!({ "learningRate": 0.002 }), 20)
    };
    losses(&mut session, &averaging(0.9), 1);
    let own = evaluated(block_on(session.evaluation("test")).unwrap());
    let average = evaluated(block_on(session.averaged_evaluation("test")).unwrap());
    assert_eq!(average, own, "it begins at the weights");
    losses(&mut session, &averaging(0.9), 60);
    let own = evaluated(block_on(session.evaluation("test")).unwrap());
    let average = evaluated(block_on(session.averaged_evaluation("test")).unwrap());
    assert!(
        average < 0.7 * start && average != own,
        "{start} to {average}, {own}"
    );
    session.reset(1).unwrap();
    assert_eq!(
        block_on(session.averaged_evaluation("test")).unwrap_err(),
        refusal
    );
}

#[test]
fn wrong_plans_are_refused_with_a_sentence() {
    let mut session = session(&Cpu::new(), "pen-digits", "lenet5", 1);
    let mut refuse = |plan: &Plan| block_on(session.prepare(plan)).unwrap_err().to_string();
    assert_eq!(
        refuse(&plan("sgd", &json!({}), 1000)),
        "batch size: expected 1 to 200 images (the training split), found 1000"
    );
    for (wrong, sentence) in [
        (
            Plan {
                clipping: [-1.0, 0.0],
                ..plan("sgd", &json!({}), 4)
            },
            "gradient clipping: expected a finite limit of at least 0, found -1",
        ),
        (
            Plan {
                averaging: 1.0,
                ..plan("sgd", &json!({}), 4)
            },
            "weight averaging: expected 0 (none) to below 1, found 1",
        ),
    ] {
        assert_eq!(refuse(&wrong), sentence);
    }
    let unknown = Plan::new("magic", &Map::new(), 4).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "unknown optimizer \"magic\"; known: sgd, descent, adagrad, rmsprop, adadelta, adam, adamw, lars"
    );
}
