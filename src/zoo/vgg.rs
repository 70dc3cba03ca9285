//! Small networks in the manner of VGG (Simonyan & Zisserman, "Very Deep Convolutional Networks for
//! Large-Scale Image Recognition", ICLR 2015): stacks of 3x3 convolutions between poolings, here with
//! batch norm and a global average in place of the dense layers.

use serde_json::json;

use crate::error::{Error, Result};
use crate::field::Values;
use crate::nn::{NetworkSpec, NodeSpec};

use super::Architecture;

pub(super) const MINI: Architecture = Architecture {
    id: "mini-vgg",
    name: "mini-VGG-7",
    doc: "Three pairs of 3x3 convolutions (32, 64, 128 maps) with batch norm, pooling between them, \
          after Simonyan & Zisserman 2015.",
    family: "vgg",
    input: [3, 32, 32],
    classes: 10,
    fields: Vec::new,
    spec: mini,
};

fn mini(_: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    let [_, h, w] = input;
    if h.min(w) < 4 {
        let expected = "an image of at least 4 x 4 pixels (it is halved twice)";
        return Err(Error::mismatch("mini-vgg", expected, format!("{h} x {w}")));
    }
    let mut nodes = Vec::new();
    for (stage, channels) in [32, 64, 128].into_iter().enumerate() {
        let stage = stage + 1;
        if stage > 1 {
            nodes.push(NodeSpec::new(
                &format!("pool{}", stage - 1),
                "max_pool2d",
                json!({}),
            ));
        }
        for part in 1..=2 {
            let id = format!("block{stage}_{part}");
            nodes.push(NodeSpec::new(
                &id,
                "conv_bn_relu",
                json!({ "out_channels": channels }),
            ));
        }
    }
    nodes.push(NodeSpec::new("average", "global_avg_pool2d", json!({})));
    let output = json!({ "units": classes, "init": "glorot_uniform" });
    nodes.push(NodeSpec::new("fc", "dense", output));
    Ok(NetworkSpec {
        name: MINI.name.to_owned(),
        input,
        classes,
        nodes,
    })
}
