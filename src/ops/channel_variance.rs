//! Per-channel mean and variance of activations, for batch normalization. The variance is taken in a
//! second pass around the mean, as the difference of mean squares would cancel.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_dtype,
    expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::add::{add, unbroadcast};
use super::affine::affine;
use super::mul::mul;
use super::rows::quarters;
use super::sum::{chunk_rows, sum, sum_kernel};
use super::testing::{nan, wave};

/// `y[c] = mean over all else of (x[.., c] - mean[c])^2`.
#[derive(Debug, Clone, Copy)]
struct ChannelVariance;

/// The mean of each channel: `[.., c]` to `[c]`.
///
/// # Errors
/// When `x` has no elements.
pub fn channel_mean(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    let shape = graph.shape(x);
    let channels = shape.last();
    let rows = shape.elements() / channels.max(1);
    sum(graph, x, [1, rows, channels], [channels], 1.0 / rows as f32)
}

/// The biased variance of each channel around `mean` `[c]`: `[.., c]` to `[c]`.
///
/// # Errors
/// When `x` has no elements, or `mean` is not one float per channel.
pub fn channel_variance(graph: &mut Graph, x: ValueId, mean: ValueId) -> Result<ValueId> {
    graph.push(ChannelVariance, &[x, mean])
}

/// Checks that `per_channel` is one float for each of `x`'s channels.
pub(super) fn expect_per_channel(place: &str, x: &Spec, per_channel: &Spec) -> Result<()> {
    let expected = Spec::f32([x.shape.last()]);
    if *per_channel == expected {
        return Ok(());
    }
    Err(Error::mismatch(
        place,
        expected.to_string(),
        per_channel.to_string(),
    ))
}

impl Op for ChannelVariance {
    fn name(&self) -> &'static str {
        "channel_variance"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, mean] = expect_inputs("channel_variance", inputs)?;
        if expect_dtype("channel_variance", x, DType::F32)?.elements() == 0 {
            return Err(Error::mismatch(
                "channel_variance",
                "at least one element",
                x.to_string(),
            ));
        }
        expect_per_channel("channel_variance", x, mean)?;
        Ok(mean.clone())
    }

    /// `dx = 2/m (x - mean) dy`, and the negative of its sum for the mean.
    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let (x, mean) = (b.inputs[0], b.inputs[1]);
        let shape = b.graph.shape(x);
        let rows = shape.elements() / shape.last();
        let negated = affine(b.graph, mean, -1.0, 0.0)?;
        let centered = add(b.graph, x, negated)?;
        let scaled = affine(b.graph, b.dy, 2.0 / rows as f32, 0.0)?;
        let dx = mul(b.graph, centered, scaled)?;
        let dmean = if b.wanted[1] {
            let total = unbroadcast(b.graph, dx, mean)?;
            Some(affine(b.graph, total, -1.0, 0.0)?)
        } else {
            None
        };
        Ok(vec![Some(dx), dmean])
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let channels = inputs[0].shape.last();
        let rows = inputs[0].shape.elements() / channels;
        let (chunk, chunks) = chunk_rows(rows);
        let constants = [("ROWS", rows), ("CHANNELS", channels), ("CHUNK", chunk)];
        let twin = move |args: &mut Args<'_>| {
            let (x, mean) = (args.read(0), args.read(1));
            let partials = args.write(0).chunks_exact_mut(channels);
            for (partial, x) in partials.zip(x.chunks(chunk * channels)) {
                partial.fill(0.0);
                let square = |x: &f32, mean: &f32| (x - mean) * (x - mean);
                let fours = x.chunks_exact(4 * channels);
                for row in fours.remainder().chunks_exact(channels) {
                    for ((partial, x), mean) in partial.iter_mut().zip(row).zip(mean) {
                        *partial += square(x, mean);
                    }
                }
                for four in fours {
                    let [a, b, c, d] = quarters(four);
                    let rows = a.iter().zip(b).zip(c.iter().zip(d)).zip(mean);
                    for (partial, (((a, b), (c, d)), m)) in partial.iter_mut().zip(rows) {
                        *partial += (square(a, m) + square(b, m)) + (square(c, m) + square(d, m));
                    }
                }
            }
        };
        let threads = chunks * channels;
        let squares = Call {
            kernel: Kernel::linear("channel_variance", SHADER, &constants, 2, threads, twin),
            bindings: vec![Slot::Input(0), Slot::Input(1), Slot::Scratch(0)],
        };
        let total = Call {
            kernel: sum_kernel([1, chunks, channels], chunks, 1.0 / rows as f32),
            bindings: vec![Slot::Scratch(0), Slot::Output],
        };
        Lowering::Kernels {
            scratch: vec![threads],
            calls: vec![squares, total],
        }
    }
}

const SHADER: &str = include_str!("../../shaders/channel_variance.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "channel_variance",
    doc: "Biased variance of each channel around a given mean.",
    shaders: &[("channel_variance", SHADER)],
    examples: || {
        let around = |g: &mut Graph, x: &[ValueId]| channel_variance(g, x[0], x[1]);
        let own = |g: &mut Graph, x: &[ValueId]| {
            let mean = channel_mean(g, x[0])?;
            channel_variance(g, x[0], mean)
        };
        vec![
            Example::new(
                "any mean",
                vec![wave([2, 2, 2, 3], 0.1), wave([3], 0.5)],
                around,
            ),
            Example::new("own mean", vec![wave([2, 2, 2, 3], 0.1)], own),
            Example::new("many rows", vec![wave([5, 13, 11, 3], 0.1)], own).forward_only(),
            Example::new("one row", vec![wave([1, 3], 0.2)], own),
            Example::new("not a number", vec![nan([3, 2]), wave([2], 0.3)], around).forward_only(),
        ]
    },
};
