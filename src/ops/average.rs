//! The running average of parameters over training steps, which often answers better than the last
//! of them (Polyak & Juditsky 1992; exponential as in Szegedy et al. 2016, section 8).

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::Args;
use crate::tensor::{Spec, Tensor};

use super::mutating::{mutating_kernel, mutating_lowering};
use super::random::expect_counters;
use super::testing::{nan, wave};

/// `average = kept average + (1 - kept) parameters`.
#[derive(Debug, Clone, Copy)]
struct Average;

/// Moves `average` toward `parameters` of the same size, keeping the share `min(decay, (1 + t) / (10 +
/// t))` after `t` steps, so that the first weights are soon forgotten, and nothing in the first of them.
/// `decay` is `[2]`: the decay, and the step with which the average began.
///
/// # Errors
/// When the shapes do not fit.
pub fn average(
    graph: &mut Graph,
    average: ValueId,
    parameters: ValueId,
    decay: ValueId,
    counters: ValueId,
) -> Result<ValueId> {
    graph.push(Average, &[average, parameters, decay, counters])
}

impl Op for Average {
    fn name(&self) -> &'static str {
        "average"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [average, parameters, decay, counters] = expect_inputs("average", inputs)?;
        expect_counters("average", counters)?;
        if average != parameters || *decay != Spec::f32([2]) {
            let expected = format!("parameters {average} and a decay f32[2]");
            let found = format!("{parameters} and {decay}");
            return Err(Error::mismatch("average", expected, found));
        }
        Ok(average.clone())
    }

    fn mutates(&self) -> &'static [usize] {
        &[0]
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let twin = |args: &mut Args<'_>| {
            let (parameters, decay) = (args.read(0), args.read(1));
            let steps = args.read_words(2)[0] as f32 - decay[1];
            if steps <= 0.0 {
                args.write(0).copy_from_slice(parameters);
                return;
            }
            let kept = decay[0].min((1.0 + steps) / (10.0 + steps));
            for (average, parameter) in args.write(0).iter_mut().zip(parameters) {
                *average = kept * *average + (1.0 - kept) * parameter;
            }
        };
        let kernel = mutating_kernel("average", SHADER, &[("ELEMENTS", n)], [3, 1], n, twin);
        mutating_lowering(kernel, &[1, 2, 3], &[0])
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/average.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "average",
    doc: "A running average of parameters over training steps.",
    shaders: &[("average", SHADER)],
    examples: || {
        let example = |name, parameters: Tensor, step: u32| {
            let decay = Tensor::from_fn([2], |i| [0.99, 3.0][i]);
            let inputs = vec![wave(parameters.shape(), 0.1), parameters, decay];
            Example::new(name, inputs, |g, x| average(g, x[0], x[1], x[2], x[3]))
                .with_words(vec![(Spec::u32([4]), vec![step, 7, 0, 0])])
                .forward_only()
        };
        vec![
            example("first step", wave([100], 0.7), 3),
            example("second step", wave([100], 0.7), 4),
            example("later step", wave([100], 0.7), 5000),
            example("one parameter", wave([1], 0.7), 40),
            example("not a number", nan([6]), 40),
        ]
    },
};
