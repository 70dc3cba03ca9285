//! Batch normalization (Ioffe & Szegedy 2015) of channels by given statistics. While training these
//! are the batch's own, and the gradient goes through them too; afterwards they are the running
//! averages, which are constants.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_inputs,
};
use crate::program::{Args, Stage, aligned};
use crate::tensor::Spec;

use super::alias::view;
use super::batch_norm_gradient::{GRADIENT_SHADER, InputGradient, SUMS_SHADER, Sums};
use super::lanes::{Lanes, statistics_chunks};
use super::moments::{Moments, expect_per_channel, merge, moments};
use super::testing::{nan, wave};

/// `y = (x - mean) gamma / sqrt(variance + eps) + beta` per channel, from x, mean, variance, gamma, beta.
#[derive(Debug, Clone, Copy)]
struct BatchNorm {
    eps: f32,
}

/// The same by `x`'s own statistics, of which it takes the parts: from x, mean, variance, gamma, beta, parts.
#[derive(Debug, Clone, Copy)]
struct ByOwn {
    eps: f32,
}

/// Normalizes each channel of `x` `[.., c]` by `mean` and `variance`, which are constants to the gradient, then
/// scales by `gamma` and shifts by `beta`, each `[c]`.
///
/// # Errors
/// When one of the four is not one float per channel.
pub fn batch_norm(
    graph: &mut Graph,
    x: ValueId,
    [mean, variance]: [ValueId; 2],
    [gamma, beta]: [ValueId; 2],
    eps: f32,
) -> Result<ValueId> {
    graph.push(BatchNorm { eps }, &[x, mean, variance, gamma, beta])
}

/// Normalizes each channel of `x` `[.., c]` by its `own` statistics, through which its gradient goes too, then
/// scales by `gamma` and shifts by `beta`, each `[c]`.
///
/// # Errors
/// When gamma or beta is not one float per channel, or `own` is of another shape.
pub fn batch_norm_by_own(
    graph: &mut Graph,
    x: ValueId,
    own: Moments,
    [gamma, beta]: [ValueId; 2],
    eps: f32,
) -> Result<ValueId> {
    let inputs = [x, own.mean, own.variance, gamma, beta, own.parts];
    graph.push(ByOwn { eps }, &inputs)
}

/// Checks mean, variance, gamma and beta.
fn expect_all_per_channel(x: &Spec, per_channel: &[Spec; 4]) -> Result<Spec> {
    let names = ["mean", "variance", "gamma", "beta"];
    for (name, spec) in names.iter().zip(per_channel) {
        expect_per_channel(&format!("batch_norm {name}"), x, spec)?;
    }
    Ok(Spec::f32(x.shape.clone()))
}

/// Normalizes rows of channels in place.
fn normalize(values: &mut [f32], mean: &[f32], variance: &[f32], affine: [&[f32]; 2], eps: f32) {
    let [gamma, beta] = affine;
    let channels = mean.len();
    let mut scale = [0.0; LANES];
    for first in (0..channels).step_by(LANES) {
        let lanes = first..(first + LANES).min(channels);
        for (scale, c) in scale.iter_mut().zip(lanes.clone()) {
            *scale = gamma[c] / (variance[c] + eps).sqrt();
        }
        let (mean, beta) = (&mean[lanes.clone()], &beta[lanes.clone()]);
        for row in values.chunks_exact_mut(channels) {
            let parameters = mean.iter().zip(&scale).zip(beta);
            for (v, ((mean, scale), beta)) in row[lanes.clone()].iter_mut().zip(parameters) {
                *v = (*v - mean) * scale + beta;
            }
        }
    }
}

/// The sums that are the gradients of gamma and beta, as parts and as two `[c]`.
fn sums(b: &mut Backward<'_>, eps: f32) -> Result<(ValueId, [ValueId; 2])> {
    let (x, mean, variance) = (b.inputs[0], b.inputs[1], b.inputs[2]);
    let channels = b.graph.shape(x).last();
    let parts = b.graph.push(Sums { eps }, &[b.dy, x, mean, variance])?;
    let [chunks, width] = b.graph.shape(parts).two("batch_norm")?;
    let sums = super::sum(b.graph, parts, [1, chunks, width], [width], 1.0)?;
    // In the order of the parameters, so that a pack of gradients takes both where they are.
    let dgamma = view(b.graph, sums, 0, [channels])?;
    let dbeta = view(b.graph, sums, aligned(channels), [channels])?;
    Ok((parts, [dgamma, dbeta]))
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, per_channel @ ..] = expect_inputs::<5>("batch_norm", inputs)?;
        expect_all_per_channel(x, per_channel)
    }

    /// `dbeta = sum(dy)`, `dgamma = sum(dy x^)`, `dx = gamma / sqrt(variance + eps) dy`: what the op makes of dy when
    /// nothing is shifted.
    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let (variance, gamma) = (b.inputs[2], b.inputs[3]);
        let mut found = vec![None; 5];
        if b.wanted[0] {
            let channels = b.graph.shape(gamma).elements();
            let zeros = b.graph.constant([channels], &vec![0.0; channels])?;
            let (statistics, affine) = ([zeros, variance], [gamma, zeros]);
            found[0] = Some(batch_norm(b.graph, b.dy, statistics, affine, self.eps)?);
        }
        if b.wanted[3] || b.wanted[4] {
            let (_, gradients) = sums(b, self.eps)?;
            [found[3], found[4]] = gradients.map(Some);
        }
        Ok(found)
    }

    fn stage(&self, primary: usize, inputs: &[Spec]) -> Option<Stage> {
        let (channels, eps) = (inputs[0].shape.last(), self.eps);
        let rows = inputs[0].shape.elements() / channels.max(1);
        let apply = move |values: &mut [f32], operands: &[&[f32]]| {
            let [mean, variance, gamma, beta] = [0, 1, 2, 3].map(|i| operands[i]);
            normalize(values, mean, variance, [gamma, beta], eps);
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

impl Op for ByOwn {
    fn name(&self) -> &'static str {
        "batch_norm_by_parts"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, per_channel @ .., parts] = expect_inputs::<6>("batch_norm", inputs)?;
        let channels = x.shape.last();
        let (_, chunks) = statistics_chunks(x.shape.elements() / channels.max(1));
        let expected = Spec::f32([chunks, 2, channels]);
        match *parts == expected {
            true => expect_all_per_channel(x, per_channel),
            false => Err(Error::mismatch(
                "batch_norm",
                expected.to_string(),
                parts.to_string(),
            )),
        }
    }

    /// As for constants, but `dx = gamma / sqrt(variance + eps) (dy - (dbeta + x^ dgamma) / m)`.
    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let (x, mean, variance, gamma) = (b.inputs[0], b.inputs[1], b.inputs[2], b.inputs[3]);
        let (parts, [dgamma, dbeta]) = sums(b, self.eps)?;
        let op = InputGradient { eps: self.eps };
        let dx = b.graph.push(op, &[b.dy, x, mean, variance, gamma, parts])?;
        Ok(vec![Some(dx), None, None, Some(dgamma), Some(dbeta), None])
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let (channels, eps) = (inputs[0].shape.last(), self.eps);
        let rows = inputs[0].shape.elements() / channels.max(1);
        let (chunk, _) = statistics_chunks(rows);
        let constants = [("CHUNK", chunk), ("EPS_BITS", eps.to_bits() as usize)];
        let twin = move |args: &mut Args<'_>| {
            let (x, parts, affine) = (args.read(0), args.read(1), [args.read(2), args.read(3)]);
            let (y, [mean, variance]) = args.write_with_scratch(0, [channels; 2]);
            merge(parts, rows, mean, variance);
            y.copy_from_slice(x);
            normalize(y, mean, variance, affine, eps);
        };
        let name = "batch_norm_by_parts";
        let lanes = Lanes::merging(rows, channels);
        let kernel = lanes.tailed(name, OWN_SHADER, &constants, 4, twin);
        let reads = [0, 5, 3, 4].map(Slot::Input);
        let call = Call {
            kernel,
            bindings: reads.into_iter().chain([Slot::Output]).collect(),
        };
        Lowering::Kernels {
            scratch: Vec::new(),
            calls: vec![call],
        }
    }
}

/// Channels normalized at a time on the CPU.
const LANES: usize = 64;

const SHADER: &str = crate::wgsl!("../../shaders/batch_norm.wgsl");
const OWN_SHADER: &str = crate::wgsl!("../../shaders/batch_norm_by_parts.wgsl");

/// Normalization by the batch's own statistics, as in training.
fn by_own(g: &mut Graph, x: &[ValueId]) -> Result<ValueId> {
    let own = moments(g, x[0])?;
    batch_norm_by_own(g, x[0], own, [x[1], x[2]], 0.1)
}

/// Normalization by constant statistics, as after training.
fn by_running(g: &mut Graph, x: &[ValueId]) -> Result<ValueId> {
    let mean = g.constant([3], &[0.1, -0.2, 0.3])?;
    let variance = g.constant([3], &[0.9, 1.5, 4.0])?;
    batch_norm(g, x[0], [mean, variance], [x[1], x[2]], 0.1)
}

pub(super) const INFO: OpInfo = OpInfo {
    name: "batch_norm",
    doc: "Normalization of each channel, then a learned scale and shift.",
    shaders: &[
        ("batch_norm", SHADER),
        ("batch_norm_by_parts", OWN_SHADER),
        ("batch_norm_sums", SUMS_SHADER),
        ("batch_norm_gradient", GRADIENT_SHADER),
    ],
    examples: || {
        let inputs = |x| vec![x, wave([3], 0.5), wave([3], 2.5)];
        vec![
            Example::new("batch", inputs(wave([2, 2, 2, 3], 0.1)), by_own),
            Example::new("running", inputs(wave([2, 2, 2, 3], 0.1)), by_running),
            Example::new("many rows", inputs(wave([5, 9, 7, 3], 0.1)), by_own),
            Example::new("with a tail", inputs(wave([5, 9, 7, 3], 0.1)), |g, x| {
                let y = by_own(g, x)?;
                super::sigmoid(g, y)
            }),
            Example::new(
                "many channels",
                vec![wave([7, 70], 0.3), wave([70], 0.5), wave([70], 2.5)],
                by_own,
            ),
            Example::new("one row", inputs(wave([1, 3], 0.1)), by_own),
            Example::new("one row running", inputs(wave([1, 3], 0.1)), by_running),
            Example::new("not a number", inputs(nan([4, 3])), by_running).forward_only(),
        ]
    },
};
