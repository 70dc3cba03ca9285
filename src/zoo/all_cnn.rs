//! All-CNN-C (Springenberg, Dosovitskiy, Brox & Riedmiller, "Striving for Simplicity: The All Convolutional
//! Net", ICLR workshop 2015, Table 1): nothing but convolutions, strided ones in place of pooling. The paper
//! in which guided backpropagation appeared.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};
use crate::nn::{NetworkSpec, norm_field};

use super::Architecture;
use super::stack::{Stack, at_least};

pub(super) const FULL: Architecture = Architecture {
    id: "all-cnn-c",
    name: "All-CNN-C",
    doc: "Nine convolutions and no pooling, for CIFAR (Springenberg et al. 2015): 1,369,738 parameters.",
    family: "all-cnn",
    full: true,
    input: [3, 32, 32],
    classes: 10,
    fields: || fields("none", true),
    spec: |values, input, classes| spec(&FULL, 96, values, input, classes),
};

pub(super) const MINI: Architecture = Architecture {
    id: "mini-all-cnn",
    name: "mini-All-CNN",
    doc: "All-CNN-C with a third of its maps and batch norm, after Springenberg et al. 2015.",
    family: "all-cnn",
    full: false,
    input: [3, 32, 32],
    classes: 10,
    fields: || fields("batch", false),
    spec: |values, input, classes| spec(&MINI, 32, values, input, classes),
};

fn fields(norm: &str, dropout: bool) -> Vec<Field> {
    let doc = "Whether inputs (0.2) and maps (0.5) are dropped as in the paper.";
    vec![norm_field(norm), Field::bool("dropout", doc, dropout)]
}

fn spec(
    entry: &Architecture,
    maps: usize,
    values: &Values,
    input: [usize; 3],
    classes: usize,
) -> Result<NetworkSpec> {
    at_least(
        entry.name,
        input,
        9,
        "it is halved twice and cut by 2 pixels",
    )?;
    let dropout = values.bool("dropout")?;
    let norm = values.choice("norm")?;
    let mut stack = Stack::default();
    let drop = |stack: &mut Stack, id: &str, rate: f64| {
        stack.dropout(id, if dropout { rate } else { 0.0 });
    };
    drop(&mut stack, "dropout0", 0.2);
    for (index, (maps, kernel, stride, padding)) in [
        (maps, 3, 1, "same"),
        (maps, 3, 1, "same"),
        (maps, 3, 2, "same"),
        (2 * maps, 3, 1, "same"),
        (2 * maps, 3, 1, "same"),
        (2 * maps, 3, 2, "same"),
        (2 * maps, 3, 1, "valid"),
        (2 * maps, 1, 1, "same"),
    ]
    .into_iter()
    .enumerate()
    {
        let fields = fields!({ "out_channels": maps, "kernel": kernel, "stride": stride, "padding": padding,
            "norm": norm });
        stack.add(&format!("conv{}", index + 1), "conv_block", fields);
        if stride == 2 {
            drop(&mut stack, &format!("dropout{}", (index + 1) / 3), 0.5);
        }
    }
    // The last rectifier of the paper would keep every class score from being negative; as in most of
    // its implementations, the mean over the last maps is the score itself.
    let last = fields!({ "out_channels": classes, "kernel": 1, "init": "glorot_uniform" });
    stack.add("conv9", "conv2d", last);
    stack.add("average", "global_avg_pool2d", fields!({}));
    Ok(stack.finish(entry.name, input, classes))
}
