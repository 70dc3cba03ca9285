//! Every operation by its own examples: CPU twin against GPU kernel on every adapter, gradients
//! against central differences, and that the examples cover what they have to. A new op is tested by
//! its registry line alone.

mod common;
#[path = "common/examples.rs"]
mod examples;

use convscope::autodiff::gradient;
use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::compile::{Compiled, compile};
use convscope::error::{Cause, Result};
use convscope::graph::{BackwardRule, OpInfo};
use convscope::ops::OPS;
use convscope::program::{Family, View};
use convscope::tensor::{DType, Spec};
use pollster::block_on;

use common::adapters;
use examples::{Case, cases};

/// A compiled case on a backend.
struct Runner<'a, B: Backend> {
    backend: &'a B,
    externals: Vec<B::Buffer>,
    prepared: B::Prepared,
    outputs: Vec<View>,
}

impl<'a, B: Backend> Runner<'a, B> {
    fn new(backend: &'a B, case: &Case, compiled: &Compiled) -> Result<Self> {
        let allocate = |words: &Vec<u32>| backend.allocate(&case.name, words.len());
        let externals: Vec<B::Buffer> = case.feeds.iter().map(allocate).collect::<Result<_>>()?;
        let find = |name: &str| {
            let index: usize = name.strip_prefix('x')?.parse().ok()?;
            externals.get(index).cloned()
        };
        let prepared = block_on(backend.prepare(&compiled.program, &find))?;
        let outputs = compiled.outputs.clone();
        Ok(Self {
            backend,
            externals,
            prepared,
            outputs,
        })
    }

    /// The outputs, then what the externals hold afterwards, as ops may mutate them.
    fn run(&self, feeds: &[Vec<u32>]) -> Result<Vec<Vec<u32>>> {
        for (buffer, words) in self.externals.iter().zip(feeds) {
            self.backend.upload(buffer, 0, words)?;
        }
        self.backend.run(&self.prepared, 1)?;
        let mut found = Vec::new();
        for view in &self.outputs {
            let buffer = self.backend.buffer(&self.prepared, view.buffer);
            found.push(block_on(self.backend.read(
                &buffer,
                view.offset,
                view.words,
            ))?);
        }
        for (buffer, words) in self.externals.iter().zip(feeds) {
            found.push(block_on(self.backend.read(buffer, 0, words.len()))?);
        }
        Ok(found)
    }
}

/// The case's op and its gradients in one program.
fn compiled(case: &Case) -> Result<Compiled> {
    let outputs: Vec<_> = [case.output]
        .into_iter()
        .chain(case.gradients.clone())
        .collect();
    compile(&case.graph, &case.name, &outputs)
}

/// Fails with all of `complaints` at once.
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Both forms of kernels run on every adapter, whichever they are made for.
const FAMILIES: [Family; 2] = [Family::Software, Family::Gpu];

#[test]
fn every_kernel_gives_what_its_cpu_twin_gives() {
    let gpus = adapters();
    let mut complaints = Vec::new();
    for case in cases() {
        for (gpu, family) in gpus
            .iter()
            .flat_map(|gpu| FAMILIES.map(|family| (gpu, family)))
        {
            gpu.set_family(family);
            let mut found = Vec::new();
            if let Err(error) = compare(gpu, &case, &mut found) {
                found.push(format!("{}: {error}", case.name));
            }
            complaints.extend(found.into_iter().map(|text| format!("{family:?}: {text}")));
        }
    }
    assert_none(&complaints);
}

fn compare<B: Backend>(gpu: &B, case: &Case, complaints: &mut Vec<String>) -> Result<()> {
    let compiled = compiled(case)?;
    let expected = Runner::new(&Cpu::new(), case, &compiled)?.run(&case.feeds)?;
    let found = Runner::new(gpu, case, &compiled)?.run(&case.feeds)?;
    let mut values = vec![("y".to_owned(), case.output)];
    let gradients = case.gradients.iter().enumerate();
    values.extend(gradients.map(|(i, &id)| (format!("dx{i}"), id)));
    let inputs = case.inputs.iter().enumerate();
    values.extend(inputs.map(|(i, &id)| (format!("x{i}"), id)));
    for (index, (name, id)) in values.iter().enumerate() {
        let spec: &Spec = case.graph.spec(*id);
        for (i, (&cpu, &gpu_word)) in expected[index].iter().zip(&found[index]).enumerate() {
            if let Some(difference) = difference(spec.dtype, cpu, gpu_word, case.example.tolerance)
            {
                let adapter = gpu.adapter().name;
                complaints.push(format!(
                    "{} {name}[{i}]: {difference} on {adapter}",
                    case.name
                ));
            }
        }
    }
    Ok(())
}

/// How two words of a type differ, if they do beyond `tolerance` relative to 1 + |cpu|.
fn difference(dtype: DType, cpu: u32, gpu: u32, tolerance: f32) -> Option<String> {
    if dtype == DType::U32 {
        return (cpu != gpu).then(|| format!("cpu {cpu}, gpu {gpu}"));
    }
    let (cpu, gpu) = (f32::from_bits(cpu), f32::from_bits(gpu));
    let same = cpu == gpu
        || cpu.is_nan() && gpu.is_nan()
        || cpu.is_finite() && (cpu - gpu).abs() <= tolerance * (1.0 + cpu.abs());
    (!same).then(|| format!("cpu {cpu}, gpu {gpu}, tolerance {tolerance}"))
}

/// Step of the central differences; inputs are of order 1.
const STEP: f32 = 1e-2;

#[test]
fn every_gradient_is_what_central_differences_say() {
    let mut complaints = Vec::new();
    for case in cases().iter().filter(|case| case.example.differentiable) {
        if let Err(error) = check_gradients(case, &mut complaints) {
            complaints.push(format!("{}: {error}", case.name));
        }
    }
    assert_none(&complaints);
}

/// Compares the gradients of `sum(seed * y)` with central differences, element by element.
fn check_gradients(case: &Case, complaints: &mut Vec<String>) -> Result<()> {
    let cpu = Cpu::new();
    let analytical = Runner::new(&cpu, case, &compiled(case)?)?.run(&case.feeds)?;
    let forward = compile(&case.graph, &case.name, &[case.output])?;
    let runner = Runner::new(&cpu, case, &forward)?;
    let objective = |feeds: &[Vec<u32>]| -> Result<f64> {
        let outputs = runner.run(feeds)?;
        let terms = outputs[0].iter().zip(&case.seed);
        Ok(terms
            .map(|(&y, &seed)| f64::from(f32::from_bits(y)) * f64::from(seed))
            .sum())
    };
    for input in 0..case.gradients.len() {
        for i in 0..case.feeds[input].len() {
            let x = f32::from_bits(case.feeds[input][i]);
            let (low, high) = (x - STEP, x + STEP);
            let mut feeds = case.feeds.clone();
            feeds[input][i] = high.to_bits();
            let above = objective(&feeds)?;
            feeds[input][i] = low.to_bits();
            let below = objective(&feeds)?;
            let numerical = (above - below) / (f64::from(high) - f64::from(low));
            let found = f64::from(f32::from_bits(analytical[1 + input][i]));
            let (gap, bound) = ((numerical - found).abs(), 1e-3 + 1e-2 * numerical.abs());
            // Written so that a NaN is a complaint.
            if !matches!(gap.partial_cmp(&bound), Some(std::cmp::Ordering::Less)) {
                complaints.push(format!(
                    "{} x{input}[{i}]: numerical {numerical:.6} vs analytical {found:.6} \
                     |Δ| {gap:.1e} > {bound:.1e}",
                    case.name
                ));
            }
        }
    }
    Ok(())
}

#[test]
fn every_op_has_a_degenerate_and_a_not_a_number_example() {
    let mut complaints = Vec::new();
    for info in OPS {
        let examples = (info.examples)();
        let mut names: Vec<_> = examples.iter().map(|example| example.name).collect();
        if !names.iter().any(|name| name.starts_with("one ")) {
            complaints.push(format!("{}: no example named \"one ...\"", info.name));
        }
        let has_floats = examples.iter().any(|example| !example.inputs.is_empty());
        let is_poisoned = examples.iter().any(|example| {
            let mut elements = example.inputs.iter().flat_map(|x| x.to_vec());
            example.name.starts_with("not a number") && elements.any(f32::is_nan)
        });
        if has_floats && !is_poisoned {
            complaints.push(format!(
                "{}: no example named \"not a number\" with NaN in it",
                info.name
            ));
        }
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            complaints.push(format!("{}: two examples of one name", info.name));
        }
    }
    assert_none(&complaints);
}

#[test]
fn every_gradient_rule_has_an_example() {
    let unchecked = |info: &&OpInfo| {
        !(info.examples)()
            .iter()
            .any(|example| example.differentiable)
    };
    let mut complaints = Vec::new();
    for info in OPS.iter().filter(unchecked) {
        for case in cases() {
            let floats = case.example.inputs.len();
            let is_float = case.graph.spec(case.output).dtype == DType::F32;
            let (op, _) = case.name.split_once('/').unwrap_or_default();
            if op != info.name || floats == 0 || !is_float {
                continue;
            }
            let mut graph = case.graph.clone();
            let shape = graph.shape(case.output).clone();
            let outcome = graph.constant(shape, &case.seed).and_then(|seed| {
                let wrt = &case.inputs[..floats];
                gradient(&mut graph, case.output, seed, wrt, BackwardRule::Gradient)
            });
            let refused = outcome
                .is_err_and(|error| matches!(error.cause(), Cause::NotDifferentiable { .. }));
            if !refused {
                complaints.push(format!(
                    "{}: has a gradient, but none is checked",
                    case.name
                ));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn ops_have_distinct_names_and_one_sentence_of_documentation() {
    let mut names: Vec<_> = OPS.iter().map(|info| info.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    for OpInfo { name, doc, .. } in OPS {
        assert!(doc.ends_with('.') && doc.len() > 10, "{name}: {doc}");
    }
}
