//! The forms of kernels for GPUs against the CPU, on every adapter of this machine, at sizes that take several
//! blocks, layers, chunks and remainders of each: what the ops' own small examples do not reach.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::compile::{Compiled, compile};
use convscope::error::Result;
use convscope::graph::{Graph, ValueId};
use convscope::ops::{Conv2d, conv2d, conv2d_input_gradient, conv2d_weight_gradient, matmul, relu};
use convscope::program::Family;
use convscope::tensor::Spec;
use pollster::block_on;
use proptest::prelude::{ProptestConfig, Strategy, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseError;

use common::adapters;

/// A convolution: images, rows, columns, input and output channels, kernel extents, and its settings.
#[derive(Debug, Clone)]
struct Case {
    images: usize,
    input: [usize; 2],
    channels: [usize; 2],
    kernel: [usize; 2],
    config: Conv2d,
}

fn run<B: Backend>(backend: &B, compiled: &Compiled, feeds: &[Vec<f32>]) -> Vec<f32> {
    let allocate = |feed: &Vec<f32>| {
        let words: Vec<u32> = feed.iter().map(|x| x.to_bits()).collect();
        let buffer = backend.allocate("feed", words.len()).unwrap();
        backend.upload(&buffer, 0, &words).unwrap();
        buffer
    };
    let buffers: Vec<B::Buffer> = feeds.iter().map(allocate).collect();
    let find = |name: &str| buffers.get(name.parse::<usize>().ok()?).cloned();
    let prepared = block_on(backend.prepare(&compiled.program, &find)).unwrap();
    backend.run(&prepared, 1).unwrap();
    let mut found = Vec::new();
    for view in &compiled.outputs {
        let buffer = backend.buffer(&prepared, view.buffer);
        let words = block_on(backend.read(&buffer, view.offset, view.words)).unwrap();
        found.extend(words.into_iter().map(f32::from_bits));
    }
    found
}

/// Numbers whose products and sums are exact, so that the order of a sum does not matter.
fn numbers(n: usize, seed: usize) -> Vec<f32> {
    let number = |i: usize| ((i * 7919 + seed * 104_729) % 17) as f32 - 8.0;
    (0..n).map(number).collect()
}

/// Compiles what `build` makes of inputs of these shapes.
fn compiled(
    shapes: &[Vec<usize>],
    build: impl Fn(&mut Graph, &[ValueId]) -> Result<Vec<ValueId>>,
) -> (Compiled, Vec<Vec<f32>>) {
    let mut graph = Graph::new();
    let (mut values, mut feeds) = (Vec::new(), Vec::new());
    for (index, shape) in shapes.iter().enumerate() {
        let spec = Spec::f32(shape.as_slice());
        feeds.push(numbers(spec.shape.elements(), index));
        values.push(graph.external(&index.to_string(), spec).unwrap());
    }
    let outputs = build(&mut graph, &values).unwrap();
    (compile(&graph, "families", &outputs).unwrap(), feeds)
}

fn check(
    what: &str,
    (compiled, feeds): &(Compiled, Vec<Vec<f32>>),
    at_least: usize,
) -> Result<(), TestCaseError> {
    let tiled = compiled.program.kernels.iter();
    let tiled = tiled.filter(|kernel| kernel.tiled.is_some()).count();
    assert!(
        tiled >= at_least,
        "{what}: {tiled} kernels have a form for GPUs"
    );
    let expected = run(&Cpu::new(), compiled, feeds);
    for gpu in adapters() {
        gpu.set_family(Family::Gpu);
        let found = run(&gpu, compiled, feeds);
        let differs = expected.iter().zip(&found).position(|(a, b)| a != b);
        let differs = differs.map(|i| (i, expected[i], found[i]));
        let name = gpu.adapter().name;
        prop_assert_eq!(differs, None, "{} on {}", what, name);
    }
    Ok(())
}

/// The forward pass under a tail, and both gradients, in one program: gradients share a launch.
fn check_convolution(case: &Case, at_least: usize) -> Result<(), TestCaseError> {
    let Case {
        images,
        input: [height, width],
        channels: [inputs, outputs],
        kernel,
        config,
    } = case.clone();
    let extent = |axis: usize, extent: usize| {
        let span = (kernel[axis] - 1) * config.dilation[axis] + 1;
        (extent + config.padding[axis].iter().sum::<usize>() - span) / config.stride[axis] + 1
    };
    let shapes = [
        vec![images, height, width, inputs],
        vec![kernel[0], kernel[1], inputs / config.groups, outputs],
        vec![images, extent(0, height), extent(1, width), outputs],
    ];
    let program = compiled(&shapes, |graph, x| {
        let y = conv2d(graph, x[0], x[1], config)?;
        Ok(vec![
            relu(graph, y)?,
            conv2d_input_gradient(graph, x[2], x[1], config, [height, width])?,
            conv2d_weight_gradient(graph, x[0], x[2], config, kernel)?,
        ])
    });
    check(&format!("{case:?}"), &program, at_least)
}

fn case(images: usize, input: [usize; 2], channels: [usize; 2], kernel: usize) -> Case {
    Case {
        images,
        input,
        channels,
        kernel: [kernel; 2],
        config: Conv2d {
            padding: [[kernel / 2; 2]; 2],
            ..Conv2d::default()
        },
    }
}

#[test]
fn convolutions_of_the_networks_are_the_cpus() {
    let strided = |case: Case, stride: usize| Case {
        config: Conv2d {
            stride: [stride; 2],
            ..case.config
        },
        ..case
    };
    let grouped = |case: Case, groups| Case {
        config: Conv2d {
            groups,
            ..case.config
        },
        ..case
    };
    let dilated = |case: Case, dilation: usize| Case {
        config: Conv2d {
            dilation: [dilation; 2],
            padding: [[dilation; 2]; 2],
            ..case.config
        },
        ..case
    };
    for (case, at_least) in [
        // LeNet-5's first layer: its input is too narrow for the gradient's form.
        (case(3, [28, 28], [1, 6], 5), 2),
        (case(3, [14, 14], [6, 16], 5), 3),
        (case(2, [32, 32], [16, 16], 3), 3),
        (case(2, [16, 16], [64, 64], 3), 3),
        (case(1, [8, 8], [128, 130], 3), 3),
        (strided(case(2, [17, 16], [16, 32], 3), 2), 3),
        (strided(case(2, [16, 16], [16, 32], 1), 2), 3),
        (strided(case(1, [23, 21], [5, 9], 5), 3), 3),
        (grouped(case(2, [9, 9], [16, 24], 3), 2), 3),
        (dilated(case(2, [11, 12], [8, 8], 3), 2), 3),
    ] {
        check_convolution(&case, at_least).unwrap();
    }
}

#[test]
fn products_are_the_cpus() {
    for (m, k, n) in [(64, 400, 120), (70, 130, 50), (3, 1000, 10), (257, 9, 65)] {
        for flags in 0..4 {
            let (t, u) = (flags & 1 == 1, flags & 2 == 2);
            let a = if t { vec![k, m] } else { vec![m, k] };
            let b = if u { vec![n, k] } else { vec![k, n] };
            let program = compiled(&[a, b], |graph, x| {
                Ok(vec![matmul(graph, x[0], x[1], t, u)?])
            });
            check(&format!("{m} {k} {n}, {t} {u}"), &program, 1).unwrap();
        }
    }
}

fn any_case() -> impl Strategy<Value = Case> {
    let sizes = (1..3_usize, [5..20_usize, 5..20], 1..3_usize);
    let window = ([1..5_usize, 1..5], [0..3_usize, 0..3, 0..3, 0..3]);
    let moves = ([1..4_usize, 1..4], [1..3_usize, 1..3], [1..40_usize, 1..40]);
    (sizes, window, moves).prop_map(|(sizes, (kernel, pad), (stride, mut dilation, channels))| {
        let (images, input, groups) = sizes;
        // A window has to fit.
        for axis in 0..2 {
            if (kernel[axis] - 1) * dilation[axis] + 1 > input[axis] {
                dilation[axis] = 1;
            }
        }
        Case {
            images,
            input,
            channels: channels.map(|n| n.div_ceil(groups) * groups),
            kernel,
            config: Conv2d {
                stride,
                padding: [[pad[0], pad[1]], [pad[2], pad[3]]],
                dilation,
                groups,
            },
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_convolution_is_the_cpus(case in any_case()) {
        check_convolution(&case, 0)?;
    }
}
