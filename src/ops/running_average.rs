//! Exponential running averages of batch statistics, kept in place.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::Args;
use crate::tensor::{DType, Spec};

use super::mutating::{mutating_kernel, mutating_lowering};
use super::testing::{nan, wave};

/// `state = keep state + take value`, element by element.
#[derive(Debug, Clone, Copy)]
struct RunningAverage;

/// Replaces each element of `state` by `keep` of it and `take` of `value`, in place; all four are
/// of one shape. A running average of momentum `m` (PyTorch's meaning of the word) keeps `1 - m` and
/// takes `m`, or `m n / (n - 1)` of a biased variance over `n` values.
///
/// # Errors
/// When the four are not floats of one shape.
pub fn running_average(
    graph: &mut Graph,
    state: ValueId,
    value: ValueId,
    keep: ValueId,
    take: ValueId,
) -> Result<ValueId> {
    graph.push(RunningAverage, &[state, value, keep, take])
}

impl Op for RunningAverage {
    fn name(&self) -> &'static str {
        "running_average"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [state, others @ ..] = expect_inputs::<4>("running_average", inputs)?;
        expect_dtype("running_average", state, DType::F32)?;
        if let Some(other) = others.iter().find(|other| *other != state) {
            return Err(Error::mismatch(
                "running_average",
                format!("a value of {state}"),
                other.to_string(),
            ));
        }
        Ok(state.clone())
    }

    fn mutates(&self) -> &'static [usize] {
        &[0]
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let twin = |args: &mut Args<'_>| {
            let (value, keep, take) = (args.read(0), args.read(1), args.read(2));
            let factors = keep.iter().zip(take);
            for ((state, value), (keep, take)) in args.write(0).iter_mut().zip(value).zip(factors) {
                *state = *state * keep + value * take;
            }
        };
        let constants = [("ELEMENTS", n)];
        let kernel = mutating_kernel("running_average", SHADER, &constants, [3, 1], n, twin);
        mutating_lowering(kernel, &[1, 2, 3], &[0])
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/running_average.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "running_average",
    doc: "Moves a state toward a value, each element by its own fraction.",
    shaders: &[("running_average", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| running_average(g, x[0], x[1], x[2], x[3]);
        let inputs = |n: usize, value| vec![wave([n], 0.1), value, wave([n], 0.7), wave([n], 1.3)];
        vec![
            Example::new("vector", inputs(5, wave([5], 1.1)), build).forward_only(),
            Example::new("one element", inputs(1, wave([1], 1.1)), build).forward_only(),
            Example::new("not a number", inputs(6, nan([6])), build).forward_only(),
        ]
    },
};
