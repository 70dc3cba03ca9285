//! One update that divides each gradient by the root of what is remembered of its squares. `RMSprop`
//! remembers a running mean, Adagrad the sum of all: they differ in two numbers only.

use crate::error::Result;
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::Args;
use crate::tensor::{Spec, Tensor};

use super::mutating::{mutating_kernel, mutating_lowering};
use super::sgd::{expect_update, settings};
use super::testing::{nan, wave};

/// `g' = g + decay p; s = keep s + gain g'^2; p -= lr g' / (sqrt(s) + epsilon)`.
#[derive(Debug, Clone, Copy)]
struct RmsProp;

/// Updates `parameters` and `squares` in place from `gradients`, all flat and of one size. `settings`
/// is `[8]`: learning rate, unused, weight decay (added to the gradient), keep, gain, epsilon,
/// unused. Hinton's `RMSprop` (2012) has gain = 1 - keep, Adagrad (Duchi et al. 2011) both 1.
///
/// # Errors
/// When the sizes differ.
pub fn rmsprop(
    graph: &mut Graph,
    parameters: ValueId,
    gradients: ValueId,
    squares: ValueId,
    settings: ValueId,
) -> Result<ValueId> {
    graph.push(RmsProp, &[parameters, gradients, squares, settings])
}

impl Op for RmsProp {
    fn name(&self) -> &'static str {
        "rmsprop"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [parameters, gradients, squares, settings] = expect_inputs("rmsprop", inputs)?;
        expect_update("rmsprop", &[parameters, gradients, squares], settings)
    }

    fn mutates(&self) -> &'static [usize] {
        &[0, 2]
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let twin = |args: &mut Args<'_>| {
            let (gradients, settings) = (args.read(0), args.read(1));
            let [rate, decay, keep, gain, epsilon] = [0, 2, 3, 4, 5].map(|i| settings[i]);
            let [parameters, squares] = args.write_all();
            let states = parameters.iter_mut().zip(squares);
            for ((parameter, square), gradient) in states.zip(gradients) {
                let gradient = gradient + decay * *parameter;
                *square = keep * *square + gain * gradient * gradient;
                *parameter -= rate * gradient / (square.sqrt() + epsilon);
            }
        };
        let kernel = mutating_kernel("rmsprop", SHADER, &[("ELEMENTS", n)], [2, 2], n, twin);
        mutating_lowering(kernel, &[1, 3], &[0, 2])
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/rmsprop.wgsl");

/// Squares as a state holds them: never negative.
pub(super) fn squares(n: usize) -> Tensor {
    Tensor::from_fn([n], |i| (i % 7) as f32 * 0.1 + 0.01)
}

pub(super) const INFO: OpInfo = OpInfo {
    name: "rmsprop",
    doc: "A step scaled by the root of remembered squared gradients, as RMSprop and Adagrad do.",
    shaders: &[("rmsprop", SHADER)],
    examples: || {
        let inputs = |n: usize, keep, gain| {
            let settings = settings([0.01, 0.0, 0.01, keep, gain, 1e-8, 0.0, 0.0]);
            vec![wave([n], 0.1), wave([n], 0.7), squares(n), settings]
        };
        let build = |g: &mut Graph, x: &[ValueId]| rmsprop(g, x[0], x[1], x[2], x[3]);
        let mut poisoned = inputs(6, 0.99, 0.01);
        poisoned[1] = nan([6]);
        vec![
            Example::new("running mean", inputs(100, 0.99, 0.01), build).forward_only(),
            Example::new("sum", inputs(100, 1.0, 1.0), build).forward_only(),
            Example::new("one parameter", inputs(1, 0.9, 0.1), build).forward_only(),
            Example::new("not a number", poisoned, build).forward_only(),
        ]
    },
};
