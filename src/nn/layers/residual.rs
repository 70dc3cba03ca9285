//! The basic residual block: two 3x3 convolutions beside a shortcut, as first published (v1: He et al.,
//! "Deep Residual Learning", CVPR 2016, Fig. 2) and with the nonlinearities before the convolutions
//! (v2: He et al., "Identity Mappings in Deep Residual Networks", ECCV 2016, Fig. 1b). Without the
//! shortcut it is the block of their plain networks.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;
use super::parts::{
    Parts, activation_field, channels_field, norm_field, stochastic_depth_field, stride_field,
};
use super::squeeze_excite::{self, reduction_field};
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "residual",
    doc: "Two 3x3 convolutions beside a shortcut (He et al. 2016).",
    fields: || {
        vec![
            channels_field("out_channels", "Maps of the output.", 16.0),
            stride_field(),
            version_field(),
            shortcut_field(),
            reduction_field(),
            stochastic_depth_field(),
            norm_field("batch"),
            activation_field("relu"),
        ]
    },
    body: Body::Block(|id, input, values| {
        let out = values.integer("out_channels")?;
        let stride = values.integer("stride")?;
        let convolutions = [(out, 3, stride), (out, 3, 1)];
        expand(id, input, values, &convolutions)
    }),
};

/// Where the nonlinearities are.
pub(super) fn version_field() -> Field {
    let doc = "Normalization and nonlinearity behind each convolution (v1) or before it (v2).";
    Field::choice("version", doc, &["v1", "v2"], "v1")
}

/// What goes around the convolutions.
pub(super) fn shortcut_field() -> Field {
    let doc = "What goes around: the input itself, strided and with maps of zeros where the block \
               changes them (zeros, option A of the paper), a 1x1 convolution (projection, option B), or \
               nothing (none: a plain network).";
    Field::choice("shortcut", doc, &["zeros", "projection", "none"], "zeros")
}

/// The nodes of a block of these convolutions (maps, kernel, stride).
pub(super) fn expand(
    id: &str,
    input: &str,
    values: &Values,
    convolutions: &[(usize, usize, usize)],
) -> Result<Vec<NodeSpec>> {
    let mut parts = Parts::new(id, input, values)?;
    let out = values.integer("out_channels")?;
    let stride = values.integer("stride")?;
    let before = values.choice("version")? == "v2";
    let shortcut = values.choice("shortcut")?;
    // A projection takes what the first convolution takes (He et al. ECCV 2016, appendix).
    let mut branching = input.to_owned();
    for (index, &(channels, kernel, step)) in convolutions.iter().enumerate() {
        let number = format!("{}", index + 1);
        if before {
            parts.norm(&number);
            parts.activate(&number);
            if index == 0 && shortcut == "projection" {
                branching = parts.last();
            }
        }
        let fields = fields!({ "out_channels": channels, "kernel": kernel, "stride": step });
        parts.conv(&format!("conv{number}"), fields);
        if !before {
            parts.norm(&number);
            if index + 1 < convolutions.len() {
                parts.activate(&number);
            }
        }
    }
    squeeze_excite::inside(&mut parts, out, values)?;
    if shortcut != "none" {
        parts.leave_out("depth", values)?;
        let branch = parts.last();
        parts.go_on_from(&branching);
        let fields = fields!({ "out_channels": out, "stride": stride });
        if shortcut == "zeros" {
            parts.add("shortcut", "shortcut", fields);
        } else {
            let fields = fields!({ "out_channels": out, "kernel": 1, "stride": stride });
            parts.conv("shortcut", fields);
            if !before {
                parts.norm("_shortcut");
            }
        }
        let around = parts.last();
        parts.join("add", "add", &[&branch, &around], fields!({}));
    }
    if !before {
        parts.activate("");
    }
    Ok(parts.finish())
}
