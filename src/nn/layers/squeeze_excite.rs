//! Squeeze and excitation (Hu, Shen & Sun, "Squeeze-and-Excitation Networks", CVPR 2018, section 3):
//! each map's mean goes through two dense layers, whose outputs in 0..1 scale the maps.

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;
use super::parts::{Parts, activation_field, channels_field};
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "squeeze_excite",
    doc: "Scales each map by a gate that two dense layers compute from all maps' means (Hu et al. 2018).",
    fields: || {
        vec![
            channels_field("channels", "Maps of the input.", 4.0),
            channels_field("reduced", "Outputs of the first dense layer.", 1.0),
            activation_field("relu"),
        ]
    },
    body: Body::Block(expand),
};

fn expand(id: &str, input: &str, values: &Values) -> Result<Vec<NodeSpec>> {
    let mut parts = Parts::bare(id, input).activated(values)?;
    gate(
        &mut parts,
        "",
        values.integer("channels")?,
        values.integer("reduced")?,
    );
    Ok(parts.finish())
}

/// How much narrower the first dense layer of a block's gate is.
pub(super) fn reduction_field() -> Field {
    let doc =
        "A squeeze-and-excitation gate whose first dense layer is so many times narrower; 0: none.";
    Field::integer("reduction", doc, 0.0, 64.0, 0.0)
}

/// A gate for `channels` maps within another block, if `values` ask for one.
pub(super) fn inside(parts: &mut Parts<'_>, channels: usize, values: &Values) -> Result<()> {
    match values.integer("reduction")? {
        0 => {}
        reduction => gate(parts, "se_", channels, (channels / reduction).max(1)),
    }
    Ok(())
}

/// The nodes of a gate behind what was added last.
pub(super) fn gate(parts: &mut Parts<'_>, prefix: &str, channels: usize, reduced: usize) {
    let maps = parts.last();
    let part = |name: &str| format!("{prefix}{name}");
    parts.add(&part("squeeze"), "global_avg_pool2d", fields!({}));
    parts.add(&part("fc1"), "dense", fields!({ "units": reduced }));
    parts.activate(&format!("_{}", part("fc1")));
    let fields = fields!({ "units": channels, "init": "glorot_uniform" });
    parts.add(&part("fc2"), "dense", fields);
    parts.add(&part("gate"), "sigmoid", fields!({}));
    let gate = parts.last();
    let scale = part("scale");
    parts.join(&scale, "scale_channels", &[&maps, &gate], fields!({}));
}
