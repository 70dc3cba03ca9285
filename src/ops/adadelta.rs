//! One update of Adadelta over flat parameters, in PyTorch's form.

use crate::error::Result;
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::Args;
use crate::tensor::Spec;

use super::mutating::{mutating_kernel, mutating_lowering};
use super::rmsprop::squares;
use super::sgd::{expect_update, settings};
use super::testing::{nan, wave};

/// Algorithm 1 of Zeiler 2012, with a learning rate (1 there) and weight decay added to the gradient.
#[derive(Debug, Clone, Copy)]
struct Adadelta;

/// Updates `parameters`, `squares` and `changes` in place from `gradients`, all flat and of one size.
/// `settings` is `[8]`: learning rate, unused, weight decay, keep (rho), unused, epsilon, unused.
///
/// # Errors
/// When the sizes differ.
pub fn adadelta(
    graph: &mut Graph,
    parameters: ValueId,
    gradients: ValueId,
    squares: ValueId,
    changes: ValueId,
    settings: ValueId,
) -> Result<ValueId> {
    graph.push(
        Adadelta,
        &[parameters, gradients, squares, changes, settings],
    )
}

impl Op for Adadelta {
    fn name(&self) -> &'static str {
        "adadelta"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [parameters, gradients, squares, changes, settings] =
            expect_inputs("adadelta", inputs)?;
        let flat = [parameters, gradients, squares, changes];
        expect_update("adadelta", &flat, settings)
    }

    fn mutates(&self) -> &'static [usize] {
        &[0, 2, 3]
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let twin = |args: &mut Args<'_>| {
            let (gradients, settings) = (args.read(0), args.read(1));
            let [rate, decay, keep, epsilon] = [0, 2, 3, 5].map(|i| settings[i]);
            let [parameters, squares, changes] = args.write_all();
            let states = parameters.iter_mut().zip(squares).zip(changes);
            for (((parameter, square), changed), gradient) in states.zip(gradients) {
                let gradient = gradient + decay * *parameter;
                *square = keep * *square + (1.0 - keep) * gradient * gradient;
                let change = (*changed + epsilon).sqrt() / (*square + epsilon).sqrt() * gradient;
                *changed = keep * *changed + (1.0 - keep) * change * change;
                *parameter -= rate * change;
            }
        };
        let kernel = mutating_kernel("adadelta", SHADER, &[("ELEMENTS", n)], [2, 3], n, twin);
        mutating_lowering(kernel, &[1, 4], &[0, 2, 3])
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/adadelta.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "adadelta",
    doc: "A step of Adadelta with weight decay.",
    shaders: &[("adadelta", SHADER)],
    examples: || {
        let inputs = |n: usize| {
            let settings = settings([1.0, 0.0, 0.01, 0.9, 0.0, 1e-6, 0.0, 0.0]);
            let (parameters, gradients) = (wave([n], 0.1), wave([n], 0.7));
            vec![parameters, gradients, squares(n), squares(n), settings]
        };
        let build = |g: &mut Graph, x: &[ValueId]| adadelta(g, x[0], x[1], x[2], x[3], x[4]);
        let mut poisoned = inputs(6);
        poisoned[1] = nan([6]);
        vec![
            Example::new("many parameters", inputs(100), build).forward_only(),
            Example::new("one parameter", inputs(1), build).forward_only(),
            Example::new("not a number", poisoned, build).forward_only(),
        ]
    },
};
