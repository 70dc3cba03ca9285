//! Residual networks (He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition", CVPR
//! 2016), in the CIFAR form of section 4.2: three stages of 16, 32 and 64 maps with parameter-free
//! shortcuts.

use serde_json::json;

use crate::error::{Error, Result};
use crate::nn::{NetworkSpec, NodeSpec};

use super::Architecture;

pub(super) const RESNET20: Architecture = Architecture {
    id: "resnet20",
    name: "ResNet-20",
    doc: "Nine residual blocks of two 3x3 convolutions with parameter-free shortcuts: the 20-layer \
          CIFAR network of He et al. 2016.",
    family: "resnet",
    input: [3, 32, 32],
    classes: 10,
    fields: Vec::new,
    spec: |_, input, classes| cifar(3, RESNET20.name, input, classes),
};

/// The network of `6 blocks + 2` layers.
fn cifar(blocks: usize, name: &str, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    let [_, h, w] = input;
    if h.min(w) < 4 {
        let expected = "an image of at least 4 x 4 pixels (it is halved twice)";
        return Err(Error::mismatch(name, expected, format!("{h} x {w}")));
    }
    let mut nodes = vec![NodeSpec::new(
        "stem",
        "conv_bn_relu",
        json!({ "out_channels": 16 }),
    )];
    for (stage, channels) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let id = format!("stage{}_{}", stage + 1, block + 1);
            let fields = json!({ "out_channels": channels, "stride": stride });
            nodes.push(NodeSpec::new(&id, "residual", fields));
        }
    }
    nodes.push(NodeSpec::new("average", "global_avg_pool2d", json!({})));
    let output = json!({ "units": classes, "init": "glorot_uniform" });
    nodes.push(NodeSpec::new("fc", "dense", output));
    Ok(NetworkSpec {
        name: name.to_owned(),
        input,
        classes,
        nodes,
    })
}
