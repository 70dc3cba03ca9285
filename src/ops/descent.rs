//! One step of plain gradient descent over flat parameters: the only update that remembers nothing.

use crate::error::Result;
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::Args;
use crate::tensor::Spec;

use super::mutating::{mutating_kernel, mutating_lowering};
use super::sgd::{expect_update, settings};
use super::testing::{nan, wave};

/// `p -= lr (g + decay p)`.
#[derive(Debug, Clone, Copy)]
struct Descent;

/// Updates `parameters` in place from `gradients`, both flat and of one size. `settings` is `[8]`:
/// learning rate, unused, weight decay (added to the gradient), unused.
///
/// # Errors
/// When the sizes differ.
pub fn descent(
    graph: &mut Graph,
    parameters: ValueId,
    gradients: ValueId,
    settings: ValueId,
) -> Result<ValueId> {
    graph.push(Descent, &[parameters, gradients, settings])
}

impl Op for Descent {
    fn name(&self) -> &'static str {
        "descent"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [parameters, gradients, settings] = expect_inputs("descent", inputs)?;
        expect_update("descent", &[parameters, gradients], settings)
    }

    fn mutates(&self) -> &'static [usize] {
        &[0]
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let twin = |args: &mut Args<'_>| {
            let (gradients, settings) = (args.read(0), args.read(1));
            let (rate, decay) = (settings[0], settings[2]);
            for (parameter, gradient) in args.write(0).iter_mut().zip(gradients) {
                *parameter -= rate * (gradient + decay * *parameter);
            }
        };
        let kernel = mutating_kernel("descent", SHADER, &[("ELEMENTS", n)], [2, 1], n, twin);
        mutating_lowering(kernel, &[1, 2], &[0])
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/descent.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "descent",
    doc: "A step of plain gradient descent with weight decay.",
    shaders: &[("descent", SHADER)],
    examples: || {
        let inputs = |n: usize| {
            let settings = settings([0.1, 0.0, 0.01, 0.0, 0.0, 0.0, 0.0, 0.0]);
            vec![wave([n], 0.1), wave([n], 0.7), settings]
        };
        let build = |g: &mut Graph, x: &[ValueId]| descent(g, x[0], x[1], x[2]);
        let poisoned = vec![wave([6], 0.1), nan([6]), inputs(1).remove(2)];
        vec![
            Example::new("many parameters", inputs(100), build).forward_only(),
            Example::new("one parameter", inputs(1), build).forward_only(),
            Example::new("not a number", poisoned, build).forward_only(),
        ]
    },
};
