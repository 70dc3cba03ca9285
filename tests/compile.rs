//! What the compiler promises: values that meet never share memory, packs place without copies where
//! they can, mutations are seen in order, and gradients come out right through all of it.

use convscope::autodiff::gradient;
use convscope::backend::Backend as _;
use convscope::backend::cpu::Cpu;
use convscope::compile::{Compiled, compile, kernel_census};
use convscope::graph::{BackwardRule, Graph, ValueId};
use convscope::ops;
use convscope::program::{Family, Kernel};
use convscope::tensor::Spec;

/// Runs `compiled` on the CPU with these outside buffers and returns its outputs.
fn run(compiled: &Compiled, external: &[(&str, &[f32])]) -> Vec<Vec<f32>> {
    let cpu = Cpu::new();
    let find = |name: &str| {
        let (_, data) = external.iter().find(|(other, _)| *other == name)?;
        let buffer = cpu.allocate(name, data.len()).ok()?;
        cpu.upload(&buffer, 0, bytemuck::cast_slice(data)).ok()?;
        Some(buffer)
    };
    let prepared =
        pollster::block_on(cpu.prepare(&compiled.program, &find)).expect("the program is prepared");
    cpu.run(&prepared, 1).expect("the program runs");
    let read = |view: &convscope::program::View| {
        let buffer = cpu.buffer(&prepared, view.buffer);
        let words = pollster::block_on(cpu.read(&buffer, view.offset, view.words))
            .expect("an output is read");
        bytemuck::cast_slice(&words).to_vec()
    };
    compiled.outputs.iter().map(read).collect()
}

fn input(graph: &mut Graph, name: &str, n: usize) -> ValueId {
    graph.external(name, Spec::f32([n])).expect("a new name")
}

#[test]
fn a_chain_needs_two_buffers_however_long_it_is() {
    let mut graph = Graph::new();
    let mut y = input(&mut graph, "x", 100);
    for _ in 0..10 {
        y = ops::transpose(&mut graph, y, [1, 4, 25], [100]).unwrap();
    }
    let z = ops::mean(&mut graph, y).unwrap();
    let compiled = compile(&graph, "chain", &[z]).unwrap();
    assert_eq!(compiled.program.own_bytes(), (100 + 100 + 1) * 4);
    let mean = run(&compiled, &[("x", &[0.5; 100])])[0][0];
    assert!((mean - 0.5).abs() < 1e-5, "{mean}");
    assert_eq!(kernel_census(&compiled.program)["transpose"], 10);
    assert_eq!(compiled.program.kernels.len(), 2);
}

#[test]
fn elementwise_nodes_are_carried_by_the_kernel_before_them() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", 12);
    let matrix = ops::reshape(&mut graph, x, [3, 4]).unwrap();
    let bias = input(&mut graph, "bias", 3);
    let product = ops::matmul(&mut graph, matrix, matrix, false, true).unwrap();
    let biased = ops::add(&mut graph, product, bias).unwrap();
    let y = ops::relu(&mut graph, biased).unwrap();
    let one = compile(&graph, "carried", &[y]).unwrap();
    assert_eq!(kernel_census(&one.program).len(), 1);
    assert_eq!(one.program.dispatches.len(), 1);
    // What is asked for, or read twice, is stored as it is.
    let two = compile(&graph, "asked for", &[biased, y]).unwrap();
    assert_eq!(two.program.dispatches.len(), 2);
    let twice = ops::mul(&mut graph, biased, biased).unwrap();
    let three = compile(&graph, "read twice", &[y, twice]).unwrap();
    assert_eq!(three.program.dispatches.len(), 3);

    let x: Vec<f32> = (0..12).map(|i| i as f32 / 4.0 - 1.5).collect();
    let feeds: [(&str, &[f32]); 2] = [("x", &x), ("bias", &[-2.0, 0.5, 1.0])];
    assert_eq!(run(&one, &feeds)[0], run(&two, &feeds)[1]);
    assert_eq!(run(&one, &feeds)[0], run(&three, &feeds)[0]);
}

#[test]
fn a_kernel_waits_for_the_operands_of_what_it_carries() {
    let mut graph = Graph::new();
    let [x, state] = ["x", "state"].map(|name| input(&mut graph, name, 12));
    let matrix = ops::reshape(&mut graph, x, [3, 4]).unwrap();
    let products = [false, true].map(|first| {
        let transposed = ops::transpose(&mut graph, matrix, [1, 3, 4], [4, 3]).unwrap();
        let pair = if first {
            [matrix, transposed]
        } else {
            [matrix, matrix]
        };
        ops::matmul(&mut graph, pair[0], pair[1], false, !first).unwrap()
    });
    let sum = ops::add(&mut graph, products[0], products[1]).unwrap();
    // The first product runs after the second, and adds it before it stores anything.
    let compiled = compile(&graph, "waiting", &[sum]).unwrap();
    assert_eq!(kernel_census(&compiled.program).get("add"), None);
    let given: Vec<f32> = (0..12).map(|i| i as f32 / 4.0 - 1.5).collect();
    let apart = compile(&graph, "apart", &products).unwrap();
    let (found, apart) = (
        run(&compiled, &[("x", &given)]),
        run(&apart, &[("x", &given)]),
    );
    let sums = apart[0].iter().zip(&apart[1]).map(|(a, b)| a + b);
    assert_eq!(found[0], sums.collect::<Vec<_>>());

    // But it does not wait where what it reads itself is written meanwhile.
    let doubled = ops::affine(&mut graph, state, 2.0, 0.0).unwrap();
    let constant = |graph: &mut Graph, value| graph.constant([12], &[value; 12]).unwrap();
    let [none, all] = [0.0, 1.0].map(|value| constant(&mut graph, value));
    ops::running_average(&mut graph, state, x, none, all).unwrap();
    let later = ops::affine(&mut graph, x, 3.0, 0.0).unwrap();
    let y = ops::add(&mut graph, doubled, later).unwrap();
    let compiled = compile(&graph, "written meanwhile", &[y]).unwrap();
    let found = run(&compiled, &[("x", &[1.0; 12]), ("state", &[9.0; 12])]);
    assert_eq!(found[0], [21.0; 12]);

    // Nor where that holds for an operand of what it carries already.
    let mut graph = Graph::new();
    let [x, state] = ["x", "state"].map(|name| input(&mut graph, name, 12));
    let doubled = ops::affine(&mut graph, x, 2.0, 0.0).unwrap();
    let with_state = ops::add(&mut graph, doubled, state).unwrap();
    let [none, all] = [0.0, 1.0].map(|value| constant(&mut graph, value));
    ops::running_average(&mut graph, state, x, none, all).unwrap();
    let later = ops::affine(&mut graph, x, 3.0, 0.0).unwrap();
    let y = ops::add(&mut graph, with_state, later).unwrap();
    let compiled = compile(&graph, "written later", &[y]).unwrap();
    let found = run(&compiled, &[("x", &[1.0; 12]), ("state", &[9.0; 12])]);
    assert_eq!(found[0], [14.0; 12]);
}

#[test]
fn a_carried_node_sees_its_operands_as_they_were_at_its_place() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", 4);
    let state = input(&mut graph, "state", 4);
    let doubled = ops::affine(&mut graph, x, 2.0, 0.0).unwrap();
    // The update comes between the two nodes: the sum has to see it.
    let none = graph.constant([4], &[0.0; 4]).unwrap();
    let all = graph.constant([4], &[1.0; 4]).unwrap();
    ops::running_average(&mut graph, state, x, none, all).unwrap();
    let y = ops::add(&mut graph, doubled, state).unwrap();
    let compiled = compile(&graph, "updated", &[y]).unwrap();
    let found = run(&compiled, &[("x", &[1.0; 4]), ("state", &[9.0; 4])]);
    assert_eq!(found[0], [3.0; 4]);
}

#[test]
fn gradients_of_packed_parameters_are_written_in_place() {
    let mut graph = Graph::new();
    let parameters = input(&mut graph, "parameters", 128);
    let w = ops::view(&mut graph, parameters, 0, [3]).unwrap();
    let b = ops::view(&mut graph, parameters, 64, [3]).unwrap();
    let rectified = ops::relu(&mut graph, w).unwrap();
    let y = ops::add(&mut graph, rectified, b).unwrap();
    let loss = ops::mean(&mut graph, y).unwrap();
    let one = graph.constant([1], &[1.0]).unwrap();
    let gradients = gradient(&mut graph, loss, one, &[w, b], BackwardRule::Gradient).unwrap();
    let packed = ops::pack(&mut graph, &gradients).unwrap();
    let compiled = compile(&graph, "packed", &[packed]).unwrap();
    let mut x = [0.0; 128];
    x[..3].copy_from_slice(&[1.0, -1.0, 2.0]);
    let out = &run(&compiled, &[("parameters", &x)])[0];
    let third = 1.0 / 3.0;
    assert_eq!(out[..3], [third, 0.0, third]);
    assert_eq!(out[64..67], [third; 3]);
    assert!(
        out[3..64].iter().chain(&out[67..]).all(|&x| x == 0.0),
        "padding stays zero"
    );
}

#[test]
fn a_pack_copies_what_cannot_be_placed() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", 2);
    let y = ops::add(&mut graph, x, x).unwrap();
    let packed = ops::pack(&mut graph, &[y, x, y]).unwrap();
    let compiled = compile(&graph, "copies", &[packed, y]).unwrap();
    let out = run(&compiled, &[("x", &[1.0, 2.0])]);
    assert_eq!(out[0][..2], [2.0, 4.0]);
    assert_eq!(out[0][64..66], [1.0, 2.0]);
    assert_eq!(out[0][128..130], [2.0, 4.0]);
    assert_eq!(out[1], [2.0, 4.0]);
    assert_eq!(kernel_census(&compiled.program)["copy"], 3);
}

#[test]
fn what_is_independent_goes_to_the_device_together() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", 66);
    let turned = ops::transpose(&mut graph, x, [1, 2, 33], [66]).unwrap();
    let back = ops::transpose(&mut graph, turned, [1, 33, 2], [66]).unwrap();
    let other = ops::transpose(&mut graph, x, [1, 33, 2], [66]).unwrap();
    let compiled = compile(&graph, "beside", &[turned, back, other]).unwrap();
    let expected = ["transpose + transpose", "transpose"];
    assert_eq!(names(&compiled, Family::Software), expected);
    let x: Vec<f32> = (0..66).map(|i| i as f32).collect();
    let found = run(&compiled, &[("x", &x)]);
    assert_eq!(found[0][..4], [0.0, 33.0, 1.0, 34.0]);
    assert_eq!(found[1], x);
    assert_eq!(found[2][..4], [0.0, 2.0, 4.0, 6.0]);
}

/// The names of what goes to a device of `family` at once.
fn names(compiled: &Compiled, family: Family) -> Vec<String> {
    let launches = compiled.program.launches(family).into_iter();
    launches.map(|launch| launch.name).collect()
}

/// A workgroup goes on with what no other has written: its own rows of a convolution, or all there is.
#[test]
fn a_software_adapter_waits_for_a_workgroup_rather_than_for_a_launch() {
    let mut graph = Graph::new();
    let x = graph.external("x", Spec::f32([4, 8, 8, 1])).unwrap();
    let w = graph.external("w", Spec::f32([1, 1, 1, 32])).unwrap();
    let y = ops::conv2d(&mut graph, x, w, ops::Conv2d::default()).unwrap();
    let moments = ops::moments(&mut graph, y).unwrap();
    let both = ops::pack(&mut graph, &[moments.mean, moments.variance]).unwrap();
    let compiled = compile(&graph, "within", &[y, both]).unwrap();
    let software = ["conv2d_rows + moments", "moments_merge"];
    assert_eq!(names(&compiled, Family::Software), software);
    let gpu = ["conv2d_tiled", "moments", "moments_merge"];
    assert_eq!(names(&compiled, Family::Gpu), gpu);

    // A workgroup of more work for each thread goes on with the parts of several.
    let mut graph = Graph::new();
    let x = graph.external("x", Spec::f32([8, 16, 16, 16])).unwrap();
    let w = graph.external("w", Spec::f32([3, 3, 16, 32])).unwrap();
    let config = ops::Conv2d {
        padding: [[1; 2]; 2],
        ..ops::Conv2d::default()
    };
    let y = ops::conv2d(&mut graph, x, w, config).unwrap();
    let moments = ops::moments(&mut graph, y).unwrap();
    let compiled = compile(&graph, "several", &[y, moments.mean]).unwrap();
    assert_eq!(names(&compiled, Family::Software), software);
    let workgroups = |kernel: &Kernel| kernel.workgroups.iter().product::<u32>();
    let counts: Vec<u32> = compiled.program.kernels.iter().map(workgroups).collect();
    assert!(
        counts[1] > counts[0] && counts[1].is_multiple_of(counts[0]),
        "{counts:?}"
    );

    // Three blocks of eight channels: 64 threads are no whole rows.
    let mut graph = Graph::new();
    let x = graph.external("x", Spec::f32([4, 8, 8, 1])).unwrap();
    let w = graph.external("w", Spec::f32([1, 1, 1, 24])).unwrap();
    let y = ops::conv2d(&mut graph, x, w, ops::Conv2d::default()).unwrap();
    let moments = ops::moments(&mut graph, y).unwrap();
    let compiled = compile(&graph, "apart", &[y, moments.mean]).unwrap();
    let software = ["conv2d_rows", "moments", "moments_merge"];
    assert_eq!(names(&compiled, Family::Software), software);

    let mut graph = Graph::new();
    let x = input(&mut graph, "x", 6);
    let turned = ops::transpose(&mut graph, x, [1, 2, 3], [6]).unwrap();
    let back = ops::transpose(&mut graph, turned, [1, 3, 2], [6]).unwrap();
    let compiled = compile(&graph, "one workgroup", &[turned, back]).unwrap();
    assert_eq!(
        names(&compiled, Family::Software),
        ["transpose + transpose"]
    );
    assert_eq!(names(&compiled, Family::Gpu), ["transpose", "transpose"]);
    let found = run(&compiled, &[("x", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])]);
    assert_eq!(found[0], [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(found[1], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn only_what_a_thread_has_written_itself_is_read_in_the_same_launch() {
    let mut graph = Graph::new();
    let x = graph.external("x", Spec::f32([1, 2, 4, 1])).unwrap();
    let halves = ops::Pool2d {
        size: [2; 2],
        stride: [2; 2],
        padding: [[0; 2]; 2],
    };
    let y = ops::max_pool2d(&mut graph, x, halves).unwrap();
    let turned = ops::transpose(&mut graph, y, [1, 1, 2], [2]).unwrap();
    let sum = ops::sum(&mut graph, turned, [1, 2, 1], [1], 1.0).unwrap();
    let compiled = compile(&graph, "along", &[turned, sum]).unwrap();
    let along = "max_pool2d_switches_windows + pool_take_windows + transpose";
    assert_eq!(names(&compiled, Family::Gpu), [along, "sum"]);
    // Behind a barrier, where one workgroup has all of it.
    let within = format!("{along} + sum");
    assert_eq!(names(&compiled, Family::Software), [within]);
    let x: Vec<f32> = (0..8).map(|i| i as f32).collect();
    let found = run(&compiled, &[("x", &x)]);
    assert_eq!((&found[0][..], found[1][0]), (&[5.0, 7.0][..], 12.0));
}

#[test]
fn an_update_is_launched_after_all_that_reads_what_was_there() {
    let mut graph = Graph::new();
    let counters = graph.external("counters", Spec::u32([4])).unwrap();
    let first = ops::sequential_indices(&mut graph, counters, 9, 3).unwrap();
    ops::advance(&mut graph, counters).unwrap();
    let second = ops::sequential_indices(&mut graph, counters, 9, 3).unwrap();
    let compiled = compile(&graph, "updated", &[first, second]).unwrap();
    let expected = ["sequential_indices", "advance", "sequential_indices"];
    assert_eq!(names(&compiled, Family::Gpu), expected);
    let expected = ["sequential_indices + advance", "sequential_indices"];
    assert_eq!(names(&compiled, Family::Software), expected);
    let words = |floats: &Vec<f32>| bytemuck::cast_slice::<f32, u32>(floats).to_vec();
    let found = run(&compiled, &[("counters", &[0.0; 4])]);
    assert_eq!(words(&found[0]), [0, 1, 2]);
    assert_eq!(words(&found[1]), [3, 4, 5]);
}
