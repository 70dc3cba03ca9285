//! One update of stochastic gradient descent with momentum over flat parameters, in PyTorch's form.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::Args;
use crate::tensor::{Spec, Tensor};

use super::mutating::{mutating_kernel, mutating_lowering};
use super::testing::{nan, wave};

/// `v = momentum v + (g + decay p); p -= lr v`, or with Nesterov's step
/// `p -= lr (g + decay p + momentum v)`.
#[derive(Debug, Clone, Copy)]
struct Sgd;

/// Updates `parameters` and `velocity` in place from `gradients`, all flat and of one size.
/// `settings` is `[8]`: learning rate, momentum, weight decay (added to the gradient), three unused,
/// whether the step is Nesterov's (1) or not (0), unused.
///
/// # Errors
/// When the sizes differ.
pub fn sgd(
    graph: &mut Graph,
    parameters: ValueId,
    gradients: ValueId,
    velocity: ValueId,
    settings: ValueId,
) -> Result<ValueId> {
    graph.push(Sgd, &[parameters, gradients, velocity, settings])
}

/// Checks what optimizers take: states and gradients of one size, and settings `[8]`.
pub(super) fn expect_update(place: &str, flat: &[&Spec], settings: &Spec) -> Result<Spec> {
    if let Some(other) = flat.iter().find(|other| **other != flat[0]) {
        return Err(Error::mismatch(
            place,
            flat[0].to_string(),
            other.to_string(),
        ));
    }
    if *settings != Spec::f32([8]) {
        return Err(Error::mismatch(
            place,
            "settings f32[8]",
            settings.to_string(),
        ));
    }
    Ok(flat[0].clone())
}

impl Op for Sgd {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [parameters, gradients, velocity, settings] = expect_inputs("sgd", inputs)?;
        expect_update("sgd", &[parameters, gradients, velocity], settings)
    }

    fn mutates(&self) -> &'static [usize] {
        &[0, 2]
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let twin = |args: &mut Args<'_>| {
            let (gradients, settings) = (args.read(0), args.read(1));
            let (rate, momentum, decay) = (settings[0], settings[1], settings[2]);
            let nesterov = settings[6] != 0.0;
            let [parameters, velocity] = args.write_all();
            let states = parameters.iter_mut().zip(velocity);
            for ((parameter, velocity), gradient) in states.zip(gradients) {
                let gradient = gradient + decay * *parameter;
                let speed = momentum * *velocity + gradient;
                *velocity = speed;
                let direction = if nesterov {
                    gradient + momentum * speed
                } else {
                    speed
                };
                *parameter -= rate * direction;
            }
        };
        let kernel = mutating_kernel("sgd", SHADER, &[("ELEMENTS", n)], [2, 2], n, twin);
        mutating_lowering(kernel, &[1, 3], &[0, 2])
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/sgd.wgsl");

/// Settings as a tensor.
pub(super) fn settings(values: [f32; 8]) -> Tensor {
    Tensor::from_fn([8], |i| values[i])
}

pub(super) const INFO: OpInfo = OpInfo {
    name: "sgd",
    doc: "A step of gradient descent with momentum and weight decay.",
    shaders: &[("sgd", SHADER)],
    examples: || {
        let inputs = |n: usize, nesterov| {
            let settings = settings([0.1, 0.9, 0.01, 0.0, 0.0, 0.0, nesterov, 0.0]);
            vec![wave([n], 0.1), wave([n], 0.7), wave([n], 1.9), settings]
        };
        let build = |g: &mut Graph, x: &[ValueId]| sgd(g, x[0], x[1], x[2], x[3]);
        let mut poisoned = inputs(6, 0.0);
        poisoned[1] = nan([6]);
        vec![
            Example::new("momentum", inputs(100, 0.0), build).forward_only(),
            Example::new("nesterov", inputs(100, 1.0), build).forward_only(),
            Example::new("one parameter", inputs(1, 0.0), build).forward_only(),
            Example::new("not a number", poisoned, build).forward_only(),
        ]
    },
};
