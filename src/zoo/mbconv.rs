//! What the mobile networks are made of: stages of inverted bottlenecks, and a network of such stages.

use crate::nn::fields;

use crate::error::Result;
use crate::nn::NetworkSpec;

use super::Architecture;
use super::stack::{Stack, at_least, share_of, widened};

/// Inverted bottlenecks that follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    expansion: usize,
    kernel: usize,
    se_ratio: f64,
    maps: usize,
    blocks: usize,
    stride: usize,
}

/// Expansion, kernel, share of the gate, maps, blocks and stride.
pub(super) const fn stage(
    expansion: usize,
    kernel: usize,
    se_ratio: f64,
    maps: usize,
    blocks: usize,
    stride: usize,
) -> Stage {
    Stage {
        expansion,
        kernel,
        se_ratio,
        maps,
        blocks,
        stride,
    }
}

impl Stage {
    /// With this many times more maps.
    pub(super) fn wide(mut self, factor: f64) -> Self {
        self.maps = widened(self.maps, factor);
        self
    }

    /// With this many times more blocks.
    pub(super) fn deep(mut self, factor: f64) -> Self {
        self.blocks = (self.blocks as f64 * factor).ceil() as usize;
        self
    }
}

/// A network of inverted bottlenecks.
pub(super) struct Recipe<'a> {
    /// Maps and stride of the first convolution.
    pub(super) stem: (usize, usize),
    /// In order.
    pub(super) stages: &'a [Stage],
    /// Maps of the last convolution.
    pub(super) last: usize,
    /// The nonlinearity.
    pub(super) activation: &'a str,
    /// Probability that the last block's branch is left out for an image; earlier ones in proportion.
    pub(super) stochastic_depth: f64,
    /// Before the last layer.
    pub(super) dropout: f64,
}

impl Recipe<'_> {
    /// The description.
    pub(super) fn spec(
        &self,
        entry: &Architecture,
        input: [usize; 3],
        classes: usize,
    ) -> Result<NetworkSpec> {
        let strides = self.stages.iter().map(|stage| stage.stride);
        let smaller = strides.product::<usize>() * self.stem.1;
        let why = format!("it becomes {smaller} times smaller");
        at_least(entry.name, input, smaller, &why)?;
        let activation = self.activation;
        let mut stack = Stack::default();
        let (mut before, stride) = self.stem;
        let fields =
            fields!({ "out_channels": before, "stride": stride, "activation": activation });
        stack.add("stem", "conv_block", fields);
        let blocks: usize = self.stages.iter().map(|stage| stage.blocks).sum();
        let mut done = 0;
        for (index, stage) in self.stages.iter().enumerate() {
            for block in 0..stage.blocks {
                let fields = fields!({ "in_channels": before, "out_channels": stage.maps,
                    "expansion": stage.expansion, "kernel": stage.kernel, "se_ratio": stage.se_ratio,
                    "stochastic_depth": share_of(self.stochastic_depth, done, blocks),
                    "stride": if block == 0 { stage.stride } else { 1 }, "activation": activation });
                let id = format!("stage{}_{}", index + 1, block + 1);
                stack.add(&id, "inverted_bottleneck", fields);
                before = stage.maps;
                done += 1;
            }
        }
        let fields = fields!({ "out_channels": self.last, "kernel": 1, "activation": activation });
        stack.add("last", "conv_block", fields);
        stack.average_and_classify(self.dropout, classes);
        Ok(stack.finish(entry.name, input, classes))
    }
}
