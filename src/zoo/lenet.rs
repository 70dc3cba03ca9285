//! LeNet-5 (LeCun, Bottou, Bengio & Haffner, "Gradient-Based Learning Applied to Document
//! Recognition", Proc. IEEE 1998): as the paper has it, with 60,000 trainable parameters, and as it is
//! taught today, with 61,706.

use crate::nn::fields;

use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::nn::{NetworkSpec, NodeSpec};

use super::Architecture;

pub(super) const MODERN: Architecture = Architecture {
    id: "lenet5",
    name: "LeNet-5 (modern)",
    doc: "Two 5x5 convolutions with pooling and three dense layers: LeNet-5 with full connections, \
          ReLU and softmax, after LeCun et al. 1998.",
    family: "lenet",
    full: false,
    input: [1, 28, 28],
    classes: 10,
    fields: || {
        let activations = ["relu", "leaky_relu", "tanh", "sigmoid"];
        vec![
            Field::choice("activation", "The nonlinearity.", &activations, "relu"),
            Field::choice("pooling", "How maps are halved.", &["max", "avg"], "max"),
        ]
    },
    spec: modern,
};

pub(super) const ORIGINAL: Architecture = Architecture {
    id: "lenet5-1998",
    name: "LeNet-5 (1998)",
    doc: "The network of the paper: C3's connection table, trained subsampling, scaled tanh, and \
          distances to drawn codes as output (LeCun et al. 1998).",
    family: "lenet",
    full: false,
    input: [1, 28, 28],
    classes: 10,
    fields: || {
        let doc = "Distances to the paper's 7x12 codes, or a trained softmax layer.";
        vec![Field::choice("output", doc, &["rbf", "softmax"], "rbf")]
    },
    spec: original,
};

fn modern(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    let [_, h, w] = input;
    // Halved, cut by the second convolution's 4 pixels, and halved again, 2 x 2 pixels are left
    // from an image of 16.
    if h.min(w) < 16 {
        let expected = "an image of at least 16 x 16 pixels";
        return Err(Error::mismatch("lenet5", expected, format!("{h} x {w}")));
    }
    let activation = values.choice("activation")?;
    let pooling = format!("{}_pool2d", values.choice("pooling")?);
    // Rectifiers halve the variance, which He's scheme makes up for; squashing functions do not.
    let init = match activation.as_str() {
        "relu" | "leaky_relu" => "he_uniform",
        _ => "glorot_uniform",
    };
    let conv = |channels: usize, padding: &str| fields!({ "out_channels": channels, "kernel": 5, "padding": padding, "init": init });
    let act = |id: &str| NodeSpec::new(id, &activation, fields!({}));
    let dense = |id: &str, units: usize, init: &str| {
        NodeSpec::new(id, "dense", fields!({ "units": units, "init": init }))
    };
    let nodes = vec![
        NodeSpec::new("conv1", "conv2d", conv(6, "same")),
        act("act1"),
        NodeSpec::new("pool1", &pooling, fields!({})),
        NodeSpec::new("conv2", "conv2d", conv(16, "valid")),
        act("act2"),
        NodeSpec::new("pool2", &pooling, fields!({})),
        NodeSpec::new("flatten", "flatten", fields!({})),
        dense("fc1", 120, init),
        act("act3"),
        dense("fc2", 84, init),
        act("act4"),
        dense("fc3", classes, "glorot_uniform"),
    ];
    Ok(NetworkSpec {
        name: MODERN.name.to_owned(),
        input,
        classes,
        nodes,
    })
}

/// Side of the image that the paper's network expects.
const SIDE: usize = 32;

fn original(values: &Values, input: [usize; 3], classes: usize) -> Result<NetworkSpec> {
    let [_, h, w] = input;
    if h.min(w) < 20 || h.max(w) > SIDE {
        let expected = "an image of 20 to 32 pixels on a side (it is padded to 32)";
        return Err(Error::mismatch(
            "lenet5-1998",
            expected,
            format!("{h} x {w}"),
        ));
    }
    let output = values.choice("output")?;
    if output == "rbf" && classes != 10 {
        let expected = "10 classes for the codes of the ten digits (or the output \"softmax\")";
        return Err(Error::mismatch(
            "lenet5-1998",
            expected,
            classes.to_string(),
        ));
    }
    let (top, left) = ((SIDE - h) / 2, (SIDE - w) / 2);
    let c1 = fields!({
        "out_channels": 6, "kernel": 5, "init": "lenet", "padding": "explicit",
        "pad_top": top, "pad_bottom": SIDE - h - top, "pad_left": left, "pad_right": SIDE - w - left,
    });
    let c3 =
        fields!({ "out_channels": 16, "kernel": 5, "init": "lenet", "connections": "lenet-c3" });
    let c5 = fields!({ "out_channels": 120, "kernel": 5, "init": "lenet" });
    // The squashing function of the paper's appendix A.
    let squash =
        |id: &str| NodeSpec::new(id, "tanh", fields!({ "scale": 1.7159, "slope": 2.0 / 3.0 }));
    let mut nodes = vec![
        NodeSpec::new("c1", "conv2d", c1),
        squash("c1_tanh"),
        NodeSpec::new("s2", "subsample", fields!({})),
        squash("s2_tanh"),
        NodeSpec::new("c3", "conv2d", c3),
        squash("c3_tanh"),
        NodeSpec::new("s4", "subsample", fields!({})),
        squash("s4_tanh"),
        NodeSpec::new("c5", "conv2d", c5),
        squash("c5_tanh"),
        NodeSpec::new("flatten", "flatten", fields!({})),
        NodeSpec::new("f6", "dense", fields!({ "units": 84, "init": "lenet" })),
        squash("f6_tanh"),
    ];
    nodes.push(match output.as_str() {
        "rbf" => NodeSpec::new("output", "rbf", fields!({})),
        _ => NodeSpec::new(
            "output",
            "dense",
            fields!({ "units": classes, "init": "lenet" }),
        ),
    });
    Ok(NetworkSpec {
        name: ORIGINAL.name.to_owned(),
        input,
        classes,
        nodes,
    })
}
