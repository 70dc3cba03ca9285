//! Times the CPU backend natively, op by op and step by step: `cargo bench --bench cpu -- [FILTER]`.
//! Every op runs as it does in training, compiled from a graph; throughputs of products are in
//! multiply-adds. What the browser makes of the same code is measured by `examples/cpu_speed.rs`.

mod common;

use std::hint::black_box;
use std::time::Duration;

use convscope::autodiff::gradient;
use convscope::backend::Backend;
use convscope::backend::cpu::{Cpu, CpuBuffer};
use convscope::compile::compile;
use convscope::error::Result;
use convscope::graph::{BackwardRule, Graph, ValueId};
use convscope::nn::{Mode, Network};
use convscope::ops::{self, Conv2d, Pool2d};
use convscope::program::{Contents, Program};
use convscope::tensor::{Shape, Spec};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use common::{Outcome, RUNS, now, session, spec};

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1000))
        .sample_size(20);
    targets = convolutions, products, passes, steps, compiling
}
criterion_main!(benches);

/// A convolution layer: its name, then images, side, input and output channels, kernel, stride and
/// padding.
struct Layer(&'static str, [usize; 7]);

const LAYERS: [Layer; 8] = [
    Layer("lenet5 1-6", [64, 28, 1, 6, 5, 1, 2]),
    Layer("lenet5 6-16", [64, 14, 6, 16, 5, 1, 0]),
    Layer("vgg 3-32", [32, 32, 3, 32, 3, 1, 1]),
    Layer("vgg 32-32", [32, 32, 32, 32, 3, 1, 1]),
    Layer("vgg 64-64", [32, 16, 64, 64, 3, 1, 1]),
    Layer("vgg 128-128", [32, 8, 128, 128, 3, 1, 1]),
    Layer("resnet20 16-16", [32, 32, 16, 16, 3, 1, 1]),
    Layer("resnet20 16-32", [32, 32, 16, 32, 3, 2, 1]),
];

/// A program with memory of its own, filled with numbers.
struct Prepared {
    backend: Cpu,
    program: <Cpu as Backend>::Prepared,
}

impl Prepared {
    fn new(graph: &Graph, output: ValueId) -> Outcome<Self> {
        let backend = Cpu::new();
        let program = compile(graph, "bench", &[output])?.program;
        let buffers = externals(&backend, &program)?;
        let find = |name: &str| {
            let found = buffers.iter().find(|(other, _)| other == name);
            found.map(|(_, buffer)| buffer.clone())
        };
        let program = now(backend.prepare(&program, &find))?;
        Ok(Self { backend, program })
    }

    fn run(&self) {
        // Only a lost device makes it fail, and here is none.
        let _ = black_box(self.backend.run(&self.program, 1));
    }
}

/// The outside buffers of a program, filled.
fn externals(backend: &Cpu, program: &Program) -> Result<Vec<(String, CpuBuffer)>> {
    let mut buffers = Vec::new();
    for decl in &program.buffers {
        if let Contents::External(name) = &decl.contents {
            let number = |i: usize| ((i % 17) as f32 * 0.1 - 0.8).to_bits();
            let words: Vec<u32> = (0..decl.words).map(number).collect();
            let buffer = backend.allocate(name, decl.words)?;
            backend.upload(&buffer, 0, &words)?;
            buffers.push((name.clone(), buffer));
        }
    }
    Ok(buffers)
}

/// Benchmarks the op that `build` makes of floats of these shapes.
fn bench<const N: usize>(
    criterion: &mut Criterion,
    [group, name]: [&str; 2],
    elements: usize,
    shapes: [&[usize]; N],
    build: impl FnOnce(&mut Graph, [ValueId; N]) -> Result<ValueId>,
) -> Outcome<()> {
    let mut graph = Graph::new();
    let mut inputs = Vec::new();
    for (index, shape) in shapes.iter().enumerate() {
        inputs.push(graph.external(&format!("x{index}"), Spec::f32(Shape::new(*shape)))?);
    }
    let inputs = <[ValueId; N]>::try_from(inputs).map_err(|_| "as many inputs as shapes")?;
    let output = build(&mut graph, inputs)?;
    let prepared = Prepared::new(&graph, output)?;
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(elements as u64));
    group.bench_function(name, |bencher| bencher.iter(|| prepared.run()));
    group.finish();
    Ok(())
}

/// Fails with what a benchmark could not build.
fn done(outcome: Outcome<()>) {
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

fn convolutions(criterion: &mut Criterion) {
    for Layer(name, [images, side, ci, co, kernel, stride, padding]) in LAYERS {
        let config = Conv2d {
            stride: [stride; 2],
            padding: [[padding; 2]; 2],
            ..Conv2d::default()
        };
        let out = (side + 2 * padding - kernel) / stride + 1;
        let (x, w) = ([images, side, side, ci], [kernel, kernel, ci, co]);
        let y = [images, out, out, co];
        let macs = images * out * out * kernel * kernel * ci * co;
        let group = |kind| [kind, name];
        done(bench(
            criterion,
            group("conv2d"),
            macs,
            [&x, &w],
            |g, [x, w]| ops::conv2d(g, x, w, config),
        ));
        done(bench(
            criterion,
            group("conv2d_input_gradient"),
            macs,
            [&y, &w],
            |g, [dy, w]| ops::conv2d_input_gradient(g, dy, w, config, [side; 2]),
        ));
        done(bench(
            criterion,
            group("conv2d_weight_gradient"),
            macs,
            [&x, &y],
            |g, [x, dy]| ops::conv2d_weight_gradient(g, x, dy, config, [kernel; 2]),
        ));
    }
}

fn products(criterion: &mut Criterion) {
    for (name, [rows, inputs, outputs]) in [
        ("lenet5 400-120", [64, 400, 120]),
        ("lenet5 84-10", [64, 84, 10]),
        ("vgg 2048-128", [32, 2048, 128]),
    ] {
        let (x, w, y) = ([rows, inputs], [inputs, outputs], [rows, outputs]);
        let macs = rows * inputs * outputs;
        let group = |kind| [kind, name];
        done(bench(
            criterion,
            group("dense"),
            macs,
            [&x, &w],
            |g, [x, w]| ops::matmul(g, x, w, false, false),
        ));
        done(bench(
            criterion,
            group("dense_input_gradient"),
            macs,
            [&y, &w],
            |g, [dy, w]| ops::matmul(g, dy, w, false, true),
        ));
        done(bench(
            criterion,
            group("dense_weight_gradient"),
            macs,
            [&x, &y],
            |g, [x, dy]| ops::matmul(g, x, dy, true, false),
        ));
    }
}

/// Passes over activations: pooling, normalization, rectifiers, sums.
fn passes(criterion: &mut Criterion) {
    let halving = Pool2d {
        size: [2; 2],
        stride: [2; 2],
        padding: [[0; 2]; 2],
    };
    for (name, x) in [
        ("lenet5 28x28x6", [64, 28, 28, 6]),
        ("vgg 32x32x32", [32, 32, 32, 32]),
        ("vgg 8x8x128", [32, 8, 8, 128]),
    ] {
        let elements = x.iter().product();
        let channels = [x[3]];
        let group = |kind| [kind, name];
        done(bench(
            criterion,
            group("max_pool2d"),
            elements,
            [&x],
            |g, [x]| ops::max_pool2d(g, x, halving),
        ));
        done(bench(criterion, group("relu"), elements, [&x], |g, [x]| {
            ops::relu(g, x)
        }));
        done(bench(
            criterion,
            group("bias"),
            elements,
            [&x, &channels],
            |g, [x, b]| ops::add(g, x, b),
        ));
        done(bench(
            criterion,
            group("bias_gradient"),
            elements,
            [&x],
            |g, [x]| {
                let shape = g.shape(x);
                let (n, channels) = (shape.elements(), shape.last());
                ops::sum(g, x, [1, n / channels, channels], [channels], 1.0)
            },
        ));
        let parameters: [&[usize]; 3] = [&x, &channels, &channels];
        done(bench(
            criterion,
            group("batch_norm"),
            elements,
            parameters,
            |g, [x, gamma, beta]| {
                let own = ops::moments(g, x)?;
                ops::batch_norm_by_own(g, x, own, [gamma, beta], 1e-5)
            },
        ));
    }
}

/// Whole training steps, in images.
fn steps(criterion: &mut Criterion) {
    for (name, dataset, batch) in RUNS {
        let mut session = match session(name, dataset, batch) {
            Ok(session) => session,
            Err(error) => panic!("{error}"),
        };
        let mut group = criterion.benchmark_group("step");
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| done(now(session.advance(1)).map(|_| ())));
        });
        group.finish();
    }
}

/// Building and compiling the forward and backward pass of a step.
fn compiling(criterion: &mut Criterion) {
    for (name, input) in [("lenet5", [1, 28, 28]), ("resnet20", [3, 32, 32])] {
        let network = match spec(name, input).and_then(|spec| Ok(Network::new(&spec)?)) {
            Ok(network) => network,
            Err(error) => panic!("{error}"),
        };
        let mut group = criterion.benchmark_group("compile");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(compiled(&network, input)).is_ok());
        });
        group.finish();
    }
}

fn compiled(network: &Network, [channels, height, width]: [usize; 3]) -> Result<Program> {
    let mut graph = Graph::new();
    let g = &mut graph;
    let images = g.external("images", Spec::f32([32, height, width, channels]))?;
    let labels = g.external("labels", Spec::u32([32]))?;
    let built = network.build(g, images, Mode::Train)?;
    let losses = ops::cross_entropy(g, built.logits, labels)?;
    let loss = ops::mean(g, losses)?;
    let one = g.constant([1], &[1.0])?;
    let gradients = gradient(g, loss, one, &built.parameters, BackwardRule::Gradient)?;
    let gradients = ops::pack(g, &gradients)?;
    Ok(compile(&graph, "bench", &[gradients])?.program)
}
