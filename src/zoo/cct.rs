//! Compact convolutional transformers (Hassani et al., "Escaping the Big Data Paradigm with Compact
//! Transformers", 2021): convolutions make the tokens, attention mixes them, attention pools them. CCT-2/3x2 is
//! small enough to be its own browser-size version.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::nn::NetworkSpec;

use super::Architecture;
use super::stack::{Stack, at_least, share_of};

pub(super) const CCT: Architecture = Architecture {
    id: "cct-2-3x2",
    name: "CCT-2/3x2",
    doc: "Two 3x3 convolutions, two transformer blocks of two heads and 128 maps, and pooling by attention: \
          283,723 parameters for CIFAR (Hassani et al. 2021).",
    family: "cct",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || {
        let dropout = "Probability that an attention weight becomes 0, and that the last block's branches are left \
                       out (earlier ones in proportion).";
        vec![
            Field::integer("layers", "Transformer blocks.", 1.0, 6.0, 2.0),
            Field::choice("heads", "Heads of each attention.", &["1", "2", "4"], "2"),
            Field::number("dropout", dropout, 0.0, 0.5, 0.1),
        ]
    },
    spec: cct,
};

const MAPS: usize = 128;

fn cct(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    at_least(CCT.name, input, 8, "it is halved twice")?;
    let (layers, dropout) = (values.integer("layers")?, values.number("dropout")?);
    let heads = match values.choice("heads")?.as_str() {
        "1" => 1,
        "2" => 2,
        _ => 4,
    };
    let mut stack = Stack::default();
    for (number, maps) in [(1, MAPS / 2), (2, MAPS)] {
        let fields =
            fields!({ "out_channels": maps, "kernel": 3, "padding": "same", "bias": false });
        stack.add(&format!("conv{number}"), "conv2d", fields);
        stack.add(&format!("conv{number}_relu"), "relu", fields!({}));
        let pool = fields!({ "size": 3, "stride": 2, "padding": 1 });
        stack.add(&format!("pool{number}"), "max_pool2d", pool);
    }
    stack.add("positions", "position_embedding", fields!({}));
    for layer in 1..=layers {
        // Linear from 0 at the first block to the whole rate at the last.
        let share = share_of(dropout, layer - 1, (layers - 1).max(1));
        let fields = fields!({ "channels": MAPS, "hidden": MAPS, "heads": heads, "dropout": dropout,
            "stochastic_depth": share });
        stack.add(&format!("block{layer}"), "transformer_block", fields);
    }
    stack.add("norm", "layer_norm", fields!({}));
    stack.add("pool", "seq_pool", fields!({}));
    stack.classify("fc", classes);
    Ok(stack.finish(CCT.name, input, classes))
}
