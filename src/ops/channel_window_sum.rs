//! Sums over neighboring channels, the reach of local response normalization. Its gradient is the same sum
//! over the mirrored window.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::testing::{nan, wave};

/// `y[.., c]` = sum of `x[.., c - before ..= c + after]`, as far as there are channels.
#[derive(Debug, Clone, Copy)]
struct ChannelWindowSum {
    before: usize,
    after: usize,
}

/// Sums each element of `x` `[.., c]` with those of the `before` channels before and the `after` channels
/// after its own; channels that do not exist count as zeros.
///
/// # Errors
/// When `x` has no elements or is not of floats.
pub fn channel_window_sum(
    graph: &mut Graph,
    x: ValueId,
    before: usize,
    after: usize,
) -> Result<ValueId> {
    graph.push(ChannelWindowSum { before, after }, &[x])
}

impl Op for ChannelWindowSum {
    fn name(&self) -> &'static str {
        "channel_window_sum"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("channel_window_sum", inputs)?;
        if expect_dtype("channel_window_sum", x, DType::F32)?.elements() == 0 {
            let found = x.to_string();
            return Err(Error::mismatch("channel_window_sum", "elements", found));
        }
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let dx = channel_window_sum(b.graph, b.dy, self.after, self.before)?;
        Ok(vec![Some(dx)])
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let (channels, elements) = (output.shape.last(), output.shape.elements());
        // No window reaches further than all channels.
        let [before, after] = [self.before, self.after].map(|reach| reach.min(channels));
        let twin = move |args: &mut Args<'_>| {
            let x = args.read(0).chunks_exact(channels);
            for (y, x) in args.write(0).chunks_exact_mut(channels).zip(x) {
                for (c, y) in y.iter_mut().enumerate() {
                    let end = (c + after + 1).min(channels);
                    *y = x[c.saturating_sub(before)..end].iter().sum();
                }
            }
        };
        let constants = [
            ("ELEMENTS", elements),
            ("CHANNELS", channels),
            ("BEFORE", before),
            ("AFTER", after),
        ];
        let name = "channel_window_sum";
        let kernel = Kernel::tailed(name, SHADER, &constants, 1, elements, twin);
        Lowering::single(kernel, 1)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/channel_window_sum.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "channel_window_sum",
    doc: "Sum of each element and its neighbors among the channels.",
    shaders: &[("channel_window_sum", SHADER)],
    examples: || {
        let window = |g: &mut Graph, x: &[ValueId]| channel_window_sum(g, x[0], 2, 1);
        vec![
            Example::new("maps", vec![wave([2, 2, 1, 7], 0.1)], window),
            Example::new("few channels", vec![wave([3, 2], 0.1)], window),
            Example::new("one element", vec![wave([1], 0.2)], window),
            Example::new("not a number", vec![nan([2, 6])], window).forward_only(),
        ]
    },
};
