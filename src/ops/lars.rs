//! One update of LARS over flat parameters: gradient descent with momentum whose rate is, for each
//! tensor, in proportion to the size of its weights over the size of their gradients.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_inputs};
use crate::program::{ALIGN_WORDS, Access, Args, Kernel, wgsl_with};
use crate::tensor::Spec;

use super::mutating::mutating_kernel;
use super::sgd::{expect_update, settings};
use super::testing::{nan, wave};

/// Algorithm 1 of You, Gitman & Ginsburg 2017 ("Large Batch Training of Convolutional Networks").
#[derive(Debug, Clone, Copy)]
struct Lars;

/// Updates `parameters` and `velocity` in place from `gradients`, all flat and of one size: for each
/// tensor, `ratio = trust |p| / (|g| + decay |p| + epsilon)` (1 where either norm is 0);
/// `v = momentum v + lr ratio (g + decay p); p -= v`. `settings` is `[8]`: learning rate, momentum,
/// weight decay, trust, unused, epsilon, unused. `tensors` are (first word, words) of each tensor, in
/// order, first words multiples of 64; words between two tensors are 0 and count to the former.
///
/// # Errors
/// When the sizes differ, or the tensors do not cover the parameters in order.
pub fn lars(
    graph: &mut Graph,
    parameters: ValueId,
    gradients: ValueId,
    velocity: ValueId,
    settings: ValueId,
    tensors: &[(usize, usize)],
) -> Result<ValueId> {
    let words = graph.shape(parameters).elements();
    let mut starts: Vec<usize> = tensors.iter().map(|tensor| tensor.0).collect();
    starts.push(words);
    let is_aligned = starts.iter().all(|start| start % ALIGN_WORDS == 0);
    let fits = tensors.iter().zip(&starts[1..]);
    let in_order = fits
        .clone()
        .all(|(&(first, n), &next)| n > 0 && first + n <= next);
    if starts[0] != 0 || tensors.is_empty() || !is_aligned || !in_order {
        let expected = format!("tensors in order that cover {words} words");
        return Err(Error::mismatch("lars", expected, format!("{tensors:?}")));
    }
    // Counted in blocks, which floats hold exactly: no buffer has 2^24 of them.
    let block = |word: usize| (word / ALIGN_WORDS) as f32;
    let ranges: Vec<f32> = fits
        .clone()
        .flat_map(|(&(first, _), &next)| [block(first), block(next - first)])
        .collect();
    let owners: Vec<f32> = (0_u16..)
        .zip(fits)
        .flat_map(|(owner, (&(first, _), &next))| {
            vec![f32::from(owner); (next - first) / ALIGN_WORDS]
        })
        .collect();
    let ranges = graph.constant([tensors.len(), 2], &ranges)?;
    let owners = graph.constant([owners.len()], &owners)?;
    graph.push(
        Lars,
        &[parameters, gradients, velocity, settings, ranges, owners],
    )
}

impl Op for Lars {
    fn name(&self) -> &'static str {
        "lars"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [parameters, gradients, velocity, settings, _, _] = expect_inputs("lars", inputs)?;
        expect_update("lars", &[parameters, gradients, velocity], settings)
    }

    fn mutates(&self) -> &'static [usize] {
        &[0, 2]
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let tensors = inputs[4].shape.elements() / 2;
        let norms_twin = |args: &mut Args<'_>| {
            let (parameters, gradients) = (args.read(0), args.read(1));
            let ranges = args.read(2).chunks_exact(2);
            for (sums, range) in args.write(0).chunks_exact_mut(2).zip(ranges) {
                let first = range[0] as usize * ALIGN_WORDS;
                let words = first..first + range[1] as usize * ALIGN_WORDS;
                let squares = |x: &[f32]| x.iter().map(|x| x * x).sum();
                sums[0] = squares(&parameters[words.clone()]);
                sums[1] = squares(&gradients[words]);
            }
        };
        let norms = Kernel {
            name: "lars_norms",
            wgsl: wgsl_with(&[], NORMS_SHADER),
            accesses: vec![Access::Read, Access::Read, Access::Read, Access::Write],
            // A network has far fewer tensors than a dimension may have workgroups.
            workgroups: [tensors as u32, 1, 1],
            tiled: None,
            run: None,
            twin: Arc::new(norms_twin),
        };
        let twin = |args: &mut Args<'_>| {
            let (gradients, settings) = (args.read(0), args.read(1));
            let (owners, sums) = (args.read(2), args.read(3));
            let [rate, momentum, decay, trust, epsilon] = [0, 1, 2, 3, 5].map(|i| settings[i]);
            let [parameters, velocity] = args.write_all();
            let blocks = parameters
                .chunks_mut(ALIGN_WORDS)
                .zip(velocity.chunks_mut(ALIGN_WORDS))
                .zip(gradients.chunks(ALIGN_WORDS));
            for (((parameters, velocity), gradients), owner) in blocks.zip(owners) {
                let owner = *owner as usize * 2;
                let (size, slope) = (sums[owner].sqrt(), sums[owner + 1].sqrt());
                let ratio = if size > 0.0 && slope > 0.0 {
                    trust * size / (slope + decay * size + epsilon)
                } else {
                    1.0
                };
                let states = parameters.iter_mut().zip(velocity);
                for ((parameter, velocity), gradient) in states.zip(gradients) {
                    let gradient = gradient + decay * *parameter;
                    *velocity = momentum * *velocity + rate * ratio * gradient;
                    *parameter -= *velocity;
                }
            }
        };
        let update = mutating_kernel("lars", SHADER, &[("ELEMENTS", n)], [4, 2], n, twin);
        let (input, sums) = (Slot::Input, Slot::Scratch(0));
        Lowering::Kernels {
            scratch: vec![2 * tensors],
            calls: vec![
                Call {
                    kernel: norms,
                    bindings: vec![input(0), input(1), input(4), sums],
                },
                Call {
                    kernel: update,
                    bindings: vec![input(1), input(3), input(5), sums, input(0), input(2)],
                },
            ],
        }
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/lars.wgsl");
const NORMS_SHADER: &str = crate::wgsl!("../../shaders/lars_norms.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "lars",
    doc: "A step of LARS: momentum at a rate of its own for each tensor.",
    shaders: &[("lars", SHADER), ("lars_norms", NORMS_SHADER)],
    examples: || {
        let inputs = |n: usize| {
            let settings = settings([0.1, 0.9, 0.01, 0.02, 0.0, 1e-9, 0.0, 0.0]);
            vec![wave([n], 0.1), wave([n], 0.7), wave([n], 1.9), settings]
        };
        let one = |g: &mut Graph, x: &[ValueId]| lars(g, x[0], x[1], x[2], x[3], &[(0, 64)]);
        let mut poisoned = inputs(64);
        poisoned[1] = nan([64]);
        let mut zero = inputs(64);
        zero[0] = crate::tensor::Tensor::from_fn([64], |_| 0.0);
        vec![
            Example::new("two tensors", inputs(448), |g, x| {
                let tensors = [(0, 320), (320, 128)];
                lars(g, x[0], x[1], x[2], x[3], &tensors)
            })
            .forward_only(),
            Example::new("one tensor", inputs(64), one).forward_only(),
            Example::new("weights of zero", zero, one).forward_only(),
            Example::new("not a number", poisoned, one).forward_only(),
        ]
    },
};
