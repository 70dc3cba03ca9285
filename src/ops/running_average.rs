//! Exponential running averages of batch statistics, kept in place.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::Args;
use crate::tensor::{DType, Spec};

use super::mutating::{mutating_kernel, mutating_lowering};
use super::testing::{nan, wave};

/// `state = (1 - momentum) state + momentum factor value`.
#[derive(Debug, Clone, Copy)]
struct RunningAverage {
    momentum: f32,
    factor: f32,
}

/// Moves `state` toward `factor * value` by the fraction `momentum` (PyTorch's meaning of the word),
/// in place. `factor` is `m / (m - 1)` where PyTorch keeps the unbiased variance.
///
/// # Errors
/// When the two are not floats of one shape.
pub fn running_average(
    graph: &mut Graph,
    state: ValueId,
    value: ValueId,
    momentum: f32,
    factor: f32,
) -> Result<ValueId> {
    graph.push(RunningAverage { momentum, factor }, &[state, value])
}

impl Op for RunningAverage {
    fn name(&self) -> &'static str {
        "running_average"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [state, value] = expect_inputs("running_average", inputs)?;
        expect_dtype("running_average", state, DType::F32)?;
        if state != value {
            return Err(Error::mismatch(
                "running_average",
                format!("a value of {state}"),
                value.to_string(),
            ));
        }
        Ok(state.clone())
    }

    fn mutates(&self) -> &'static [usize] {
        &[0]
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let (keep, take) = (1.0 - self.momentum, self.momentum * self.factor);
        let constants = [
            ("ELEMENTS", n),
            ("KEEP_BITS", keep.to_bits() as usize),
            ("TAKE_BITS", take.to_bits() as usize),
        ];
        let twin = move |args: &mut Args<'_>| {
            let value = args.read(0);
            for (state, value) in args.write(0).iter_mut().zip(value) {
                *state = *state * keep + value * take;
            }
        };
        let kernel = mutating_kernel("running_average", SHADER, &constants, [1, 1], n, twin);
        mutating_lowering(kernel, &[1], &[0])
    }
}

const SHADER: &str = include_str!("../../shaders/running_average.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "running_average",
    doc: "Moves a state toward a value by a fixed fraction.",
    shaders: &[("running_average", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| running_average(g, x[0], x[1], 0.1, 1.25);
        vec![
            Example::new("vector", vec![wave([5], 0.1), wave([5], 1.1)], build).forward_only(),
            Example::new("one element", vec![wave([1], 0.1), wave([1], 1.1)], build).forward_only(),
            Example::new("not a number", vec![wave([6], 0.1), nan([6])], build).forward_only(),
        ]
    },
};
