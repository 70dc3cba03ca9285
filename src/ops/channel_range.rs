//! The smallest and largest value of each channel: what color scales are made of.

use std::array;

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::testing::{nan, wave};

/// `y[c] = (min, max)` over everything but the last axis.
#[derive(Debug, Clone, Copy)]
struct ChannelRange;

/// The smallest and the largest value of each channel of `x`, `[.., c]`, as `[c, 2]`. NaN is passed
/// over, except in the first place.
///
/// # Errors
/// When `x` has no elements or is not of floats.
pub fn channel_range(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    graph.push(ChannelRange, &[x])
}

impl Op for ChannelRange {
    fn name(&self) -> &'static str {
        "channel_range"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("channel_range", inputs)?;
        let shape = expect_dtype("channel_range", x, DType::F32)?;
        if shape.elements() == 0 {
            return Err(Error::mismatch(
                "channel_range",
                "at least one element",
                x.to_string(),
            ));
        }
        Ok(Spec::f32([shape.last(), 2]))
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let channels = inputs[0].shape.last();
        let rows = inputs[0].shape.elements() / channels;
        let twin = move |args: &mut Args<'_>| {
            let x = args.read(0);
            let y = args.write(0);
            let whole = channels - channels % LANES;
            for (at, pairs) in (0..whole).step_by(LANES).zip(y.chunks_exact_mut(2 * LANES)) {
                ranges_of::<LANES>(x, channels, at, pairs);
            }
            for (at, pair) in (whole..channels).zip(y[2 * whole..].chunks_exact_mut(2)) {
                ranges_of::<1>(x, channels, at, pair);
            }
        };
        let constants = [("CHANNELS", channels), ("ROWS", rows)];
        let kernel = Kernel::linear("channel_range", SHADER, &constants, 1, channels, twin);
        Lowering::single(kernel, 1)
    }
}

/// Channels that the CPU takes side by side.
const LANES: usize = 8;

/// The ranges of `N` channels from `at` on, as pairs.
fn ranges_of<const N: usize>(x: &[f32], channels: usize, at: usize, pairs: &mut [f32]) {
    let mut lows: [f32; N] = array::from_fn(|i| x[at + i]);
    let mut highs = lows;
    for row in x.chunks_exact(channels).skip(1) {
        let row = &row[at..at + N];
        // Written so that it is one instruction, which no other order of NaN is.
        for ((low, high), &value) in lows.iter_mut().zip(&mut highs).zip(row) {
            *low = if value < *low { value } else { *low };
            *high = if value > *high { value } else { *high };
        }
    }
    for (pair, (low, high)) in pairs.chunks_exact_mut(2).zip(lows.into_iter().zip(highs)) {
        pair.copy_from_slice(&[low, high]);
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/channel_range.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "channel_range",
    doc: "The smallest and largest value of each channel.",
    shaders: &[("channel_range", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| channel_range(g, x[0]);
        vec![
            Example::new("maps", vec![wave([2, 3, 3, 5], 0.2)], build).forward_only(),
            Example::new(
                "two sets of lanes and a rest",
                vec![wave([3, 5, 19], 0.4)],
                build,
            )
            .forward_only(),
            Example::new("one element", vec![wave([1], 0.2)], build).forward_only(),
            Example::new("not a number", vec![nan([4, 3])], build).forward_only(),
        ]
    },
};
