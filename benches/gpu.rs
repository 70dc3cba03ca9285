//! Times kernels and whole training steps natively on every Vulkan adapter whose name contains the
//! first argument: `cargo bench --bench gpu -- [NAME] [ops|steps|profile] [software|gpu]`; the third says
//! which form of the kernels runs, whatever the adapter is. A layer's three convolutions are
//! compiled and run as in training; what is printed is the median over rounds that are interleaved,
//! so that a noisy machine is noisy for all of them.

#[expect(dead_code, reason = "some of it is for the CPU backend only")]
mod common;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

use convscope::backend::Backend;
use convscope::backend::gpu::Gpu;
use convscope::compile::compile;
use convscope::graph::{Graph, ValueId};
use convscope::ops::{self, Conv2d};
use convscope::program::{Contents, Family, Program};
use convscope::tensor::Spec;
use pollster::block_on;

use common::{Outcome, planned};

/// Rounds of which the median is taken.
const ROUNDS: usize = 5;
/// Seconds that one measurement of a round should take.
const SLICE: f64 = 0.2;

/// A convolution layer of a network: images, side, inputs, kernel, outputs, stride, padding.
struct Layer(&'static str, [usize; 7]);

const LAYERS: [Layer; 9] = [
    Layer("lenet5 conv1", [64, 28, 1, 5, 6, 1, 2]),
    Layer("lenet5 conv2", [64, 14, 6, 5, 16, 1, 0]),
    Layer("vgg 3-32 @32", [32, 32, 3, 3, 32, 1, 1]),
    Layer("vgg 32-32 @32", [32, 32, 32, 3, 32, 1, 1]),
    Layer("vgg 64-64 @16", [32, 16, 64, 3, 64, 1, 1]),
    Layer("vgg 128-128 @8", [32, 8, 128, 3, 128, 1, 1]),
    Layer("resnet 16-16 @32", [32, 32, 16, 3, 16, 1, 1]),
    Layer("resnet 16-32 /2", [32, 32, 16, 3, 32, 2, 1]),
    Layer("resnet 64-64 @8", [32, 8, 64, 3, 64, 1, 1]),
];

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let wanted = arguments.first().map_or("", String::as_str);
    let what = arguments.get(1).map_or("", String::as_str);
    for name in block_on(Gpu::names()) {
        if !name.to_lowercase().contains(&wanted.to_lowercase()) {
            continue;
        }
        let gpu = block_on(Gpu::new(Some(&name)))?;
        match arguments.get(2).map(String::as_str) {
            Some("software") => gpu.set_family(Family::Software),
            Some("gpu") => gpu.set_family(Family::Gpu),
            Some(other) => return Err(format!("expected software or gpu, found {other}").into()),
            None => {}
        }
        say(&format!("\n{name}"))?;
        match what {
            "ops" => convolutions(&gpu)?,
            "steps" => steps(&gpu)?,
            "profile" => profile(&gpu)?,
            _ => {
                convolutions(&gpu)?;
                steps(&gpu)?;
            }
        }
    }
    Ok(())
}

/// GFLOP/s of each layer's forward pass, input gradient and weight gradient.
fn convolutions(gpu: &Gpu) -> Outcome<()> {
    let mut rows = Vec::new();
    for Layer(name, [n, side, ci, k, co, stride, padding]) in LAYERS {
        let config = Conv2d {
            stride: [stride; 2],
            padding: [[padding; 2]; 2],
            ..Conv2d::default()
        };
        let out = (side + 2 * padding - k) / stride + 1;
        let flop = 2 * n * out * out * k * k * ci * co;
        let (x, w) = ([n, side, side, ci], [k, k, ci, co]);
        let y = [n, out, out, co];
        let forward = program([&x, &w], |g, a, b| ops::conv2d(g, a, b, config))?;
        let input = program([&y, &w], |g, a, b| {
            ops::conv2d_input_gradient(g, a, b, config, [side; 2])
        })?;
        let weight = program([&x, &y], |g, a, b| {
            ops::conv2d_weight_gradient(g, a, b, config, [k; 2])
        })?;
        for (what, (compiled, sizes)) in [
            ("forward", forward),
            ("input gradient", input),
            ("weight gradient", weight),
        ] {
            let buffers = sizes
                .iter()
                .map(|&words| gpu.allocate("x", words))
                .collect::<Result<Vec<_>, _>>()?;
            let external = |name: &str| Some(buffers[usize::from(name == "b")].clone());
            let prepared = block_on(gpu.prepare(&compiled, &external))?;
            let output = gpu.buffer(&prepared, convscope::program::BufferId(0));
            rows.push((name, what, flop as f64, prepared, output));
        }
    }
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        for ((.., prepared, output), times) in rows.iter().zip(&mut times) {
            let run = |times| -> Outcome<f64> {
                let start = Instant::now();
                block_on(gpu.run_and_read(prepared, times, output, 1))?;
                Ok(start.elapsed().as_secs_f64())
            };
            let once = run(1)?;
            let count = (SLICE / once).clamp(1.0, 1000.0) as u32;
            times.push(run(count)? / f64::from(count));
        }
    }
    let mut forward = 0.0;
    for ((name, what, flop, ..), times) in rows.iter().zip(times) {
        let seconds = median(times);
        let rate = flop / seconds / 1e9;
        if *what == "forward" {
            forward = rate;
        }
        let share = rate / forward;
        say(&format!(
            "{name:18} {what:16} {:8.2} ms {rate:7.2} GFLOP/s {share:5.2}x forward",
            seconds * 1e3
        ))?;
    }
    Ok(())
}

type Built = (Program, [usize; 2]);

/// A program of one op on the outside values `a` and `b`, and their sizes.
fn program(
    shapes: [&[usize; 4]; 2],
    build: impl Fn(&mut Graph, ValueId, ValueId) -> convscope::error::Result<ValueId>,
) -> Outcome<Built> {
    let mut graph = Graph::new();
    let a = graph.external("a", Spec::f32(*shapes[0]))?;
    let b = graph.external("b", Spec::f32(*shapes[1]))?;
    let y = build(&mut graph, a, b)?;
    let compiled = compile(&graph, "bench", &[y])?;
    Ok((compiled.program, shapes.map(|shape| shape.iter().product())))
}

/// The networks whose steps are timed: architecture, dataset, batch.
const STEPS: [(&str, &str, usize); 3] = [
    ("lenet5", "pen-digits", 64),
    ("mini-vgg", "shapes", 32),
    ("resnet20", "shapes", 32),
];

/// What each kernel of a step costs when it runs alone, by name: the least of all rounds.
fn profile(gpu: &Gpu) -> Outcome<()> {
    for row in STEPS {
        let (session, plan) = planned(gpu, row.0, row.1, row.2)?;
        let mut program = session.step_program(&plan)?;
        // The same memory for all single dispatches.
        let mut buffers = Vec::new();
        for (index, decl) in program.buffers.iter_mut().enumerate() {
            buffers.push(gpu.allocate("profile", decl.words)?);
            decl.contents = Contents::External(index.to_string());
        }
        let external = |name: &str| buffers.get(name.parse::<usize>().ok()?).cloned();
        let mut costs: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
        for dispatch in &program.dispatches {
            let kernel = program.kernels[dispatch.kernel].clone();
            let mut one = dispatch.clone();
            one.kernel = 0;
            let single = Program {
                kernels: vec![kernel.clone()],
                dispatches: vec![one],
                ..program.clone()
            };
            let prepared = block_on(gpu.prepare(&single, &external))?;
            let run = |times| -> Outcome<f64> {
                let start = Instant::now();
                block_on(gpu.run_and_read(&prepared, times, &buffers[0], 1))?;
                Ok(start.elapsed().as_secs_f64())
            };
            let once = run(1)?;
            let count = (SLICE / 5.0 / once).clamp(1.0, 50.0) as u32;
            let mut seconds = f64::INFINITY;
            for _ in 0..ROUNDS {
                seconds = seconds.min(run(count)? / f64::from(count));
            }
            let cost = costs.entry(kernel.name).or_default();
            *cost = (cost.0 + 1, cost.1 + seconds);
        }
        let all: f64 = costs.values().map(|(_, seconds)| seconds).sum();
        say(&format!("{}: {:.1} ms in all", row.0, all * 1e3))?;
        for (name, (count, seconds)) in costs {
            let share = 100.0 * seconds / all;
            say(&format!(
                "  {name:32} {count:4} {:9.2} ms {share:5.1} %",
                seconds * 1e3
            ))?;
        }
    }
    Ok(())
}

/// Images per second of whole training steps.
fn steps(gpu: &Gpu) -> Outcome<()> {
    let mut sessions = Vec::new();
    for row in STEPS {
        let (mut session, plan) = planned(gpu, row.0, row.1, row.2)?;
        let start = Instant::now();
        block_on(session.prepare(&plan))?;
        block_on(session.advance(1))?;
        block_on(session.drain())?;
        gpu.counters();
        let compile_time = start.elapsed().as_secs_f64();
        block_on(session.advance(1))?;
        block_on(session.drain())?;
        let name = session.network().spec.name.clone();
        let dispatches = gpu.counters().dispatches;
        sessions.push((name, row.2, session, compile_time, dispatches));
    }
    let mut times = vec![Vec::new(); sessions.len()];
    for _ in 0..ROUNDS {
        for ((_, _, session, ..), times) in sessions.iter_mut().zip(&mut times) {
            let mut run = |steps| -> Outcome<f64> {
                let start = Instant::now();
                block_on(session.advance(steps))?;
                block_on(session.drain())?;
                Ok(start.elapsed().as_secs_f64())
            };
            let once = run(1)?;
            let count = (4.0 * SLICE / once).clamp(1.0, 200.0) as u32;
            times.push(run(count)? / f64::from(count));
        }
    }
    for ((name, batch, _, compile_time, dispatches), times) in sessions.iter().zip(times) {
        let seconds = median(times);
        say(&format!(
            "{name:18} batch {batch:3} {:9.2} ms/step {:8.0} images/s, {dispatches} dispatches, \
             first step after {compile_time:.2} s",
            seconds * 1e3,
            *batch as f64 / seconds,
        ))?;
    }
    Ok(())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
