//! Batch normalization (Ioffe & Szegedy 2015) of channels by given statistics. While training these
//! are the batch's own, and the gradient goes through them too; afterwards they are the running
//! averages, which are constants.

use std::sync::Arc;

use crate::error::Result;
use crate::graph::{Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::{Stage, aligned};
use crate::tensor::Spec;

use super::alias::view;
use super::batch_norm_gradient::{GRADIENT_SHADER, InputGradient, SUMS_SHADER, Sums};
use super::moments::{expect_per_channel, moments};
use super::testing::{nan, wave};

/// `y = (x - mean) gamma / sqrt(variance + eps) + beta` per channel.
#[derive(Debug, Clone, Copy)]
struct BatchNorm {
    eps: f32,
    batch_statistics: bool,
}

/// Normalizes each channel of `x` `[.., c]` by `mean` and `variance`, then scales by `gamma` and
/// shifts by `beta`, each `[c]`. With `batch_statistics`, `mean` and `variance` must be `x`'s own
/// ([`moments`]): the gradient of `x` is then the total one, through both.
/// Without, they are constants.
///
/// # Errors
/// When one of the four is not one float per channel.
#[expect(clippy::too_many_arguments, reason = "they are the formula's letters")]
pub fn batch_norm(
    graph: &mut Graph,
    x: ValueId,
    mean: ValueId,
    variance: ValueId,
    gamma: ValueId,
    beta: ValueId,
    eps: f32,
    batch_statistics: bool,
) -> Result<ValueId> {
    let op = BatchNorm {
        eps,
        batch_statistics,
    };
    graph.push(op, &[x, mean, variance, gamma, beta])
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, per_channel @ ..] = expect_inputs::<5>("batch_norm", inputs)?;
        for (name, spec) in ["mean", "variance", "gamma", "beta"]
            .iter()
            .zip(per_channel)
        {
            expect_per_channel(&format!("batch_norm {name}"), x, spec)?;
        }
        Ok(Spec::f32(x.shape.clone()))
    }

    /// `dbeta = sum(dy)`, `dgamma = sum(dy x^)`, and with batch statistics
    /// `dx = gamma / sqrt(variance + eps) (dy - (dbeta + x^ dgamma) / m)`.
    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let (x, mean, variance, gamma) = (b.inputs[0], b.inputs[1], b.inputs[2], b.inputs[3]);
        let channels = b.graph.shape(x).last();
        let op = Sums { eps: self.eps };
        let sums = b.graph.push(op, &[b.dy, x, mean, variance])?;
        // In the order of the parameters, so that a pack of gradients takes both where they are.
        let dgamma = view(b.graph, sums, 0, [channels])?;
        let dbeta = view(b.graph, sums, aligned(channels), [channels])?;
        let op = InputGradient {
            eps: self.eps,
            batch_statistics: self.batch_statistics,
        };
        let dx = b.graph.push(op, &[b.dy, x, mean, variance, gamma, sums])?;
        Ok(vec![Some(dx), None, None, Some(dgamma), Some(dbeta)])
    }

    fn stage(&self, primary: usize, inputs: &[Spec]) -> Option<Stage> {
        let (channels, eps) = (inputs[0].shape.last(), self.eps);
        let rows = inputs[0].shape.elements() / channels.max(1);
        let apply = move |values: &mut [f32], operands: &[&[f32]]| {
            let [mean, variance, gamma, beta] = [0, 1, 2, 3].map(|i| operands[i]);
            let mut scale = [0.0; LANES];
            for first in (0..channels).step_by(LANES) {
                let lanes = first..(first + LANES).min(channels);
                for (scale, c) in scale.iter_mut().zip(lanes.clone()) {
                    *scale = gamma[c] / (variance[c] + eps).sqrt();
                }
                let (mean, beta) = (&mean[lanes.clone()], &beta[lanes.clone()]);
                for row in values.chunks_exact_mut(channels) {
                    let parameters = mean.iter().zip(&scale).zip(beta);
                    for (v, ((mean, scale), beta)) in row[lanes.clone()].iter_mut().zip(parameters)
                    {
                        *v = (*v - mean) * scale + beta;
                    }
                }
            }
        };
        (primary == 0).then(|| Stage {
            source: SHADER,
            constants: vec![("EPS_BITS", eps.to_bits() as usize)],
            operands: vec![[1, rows, channels]; 4],
            apply: Arc::new(apply),
        })
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

/// Channels normalized at a time on the CPU.
const LANES: usize = 64;

const SHADER: &str = crate::wgsl!("../../shaders/batch_norm.wgsl");

/// Normalization by the batch's own statistics, as in training.
fn by_own(g: &mut Graph, x: &[ValueId]) -> Result<ValueId> {
    let (mean, variance) = moments(g, x[0])?;
    batch_norm(g, x[0], mean, variance, x[1], x[2], 0.1, true)
}

/// Normalization by constant statistics, as after training.
fn by_running(g: &mut Graph, x: &[ValueId]) -> Result<ValueId> {
    let mean = g.constant([3], &[0.1, -0.2, 0.3])?;
    let variance = g.constant([3], &[0.9, 1.5, 4.0])?;
    batch_norm(g, x[0], mean, variance, x[1], x[2], 0.1, false)
}

pub(super) const INFO: OpInfo = OpInfo {
    name: "batch_norm",
    doc: "Normalization of each channel, then a learned scale and shift.",
    shaders: &[
        ("batch_norm", SHADER),
        ("batch_norm_sums", SUMS_SHADER),
        ("batch_norm_gradient", GRADIENT_SHADER),
    ],
    examples: || {
        let inputs = |x| vec![x, wave([3], 0.5), wave([3], 2.5)];
        vec![
            Example::new("batch", inputs(wave([2, 2, 2, 3], 0.1)), by_own),
            Example::new("running", inputs(wave([2, 2, 2, 3], 0.1)), by_running),
            Example::new("many rows", inputs(wave([5, 9, 7, 3], 0.1)), by_own),
            Example::new("one row", inputs(wave([1, 3], 0.1)), by_own),
            Example::new("one row running", inputs(wave([1, 3], 0.1)), by_running),
            Example::new("not a number", inputs(nan([4, 3])), by_running).forward_only(),
        ]
    },
};
