//! What the blocks are written with: a run of nodes named `<block>_<part>`, and the choices of
//! normalization and nonlinearity that blocks share.

use serde_json::Value;

use crate::nn::fields;

use crate::error::Result;
use crate::field::{Field, Values};

use super::super::spec::NodeSpec;

/// The nodes of a block so far.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    id: &'a str,
    norm: String,
    activation: String,
    last: String,
    nodes: Vec<NodeSpec>,
}

impl<'a> Parts<'a> {
    /// Nothing yet, behind `input`; `values` say which normalization and nonlinearity.
    pub(super) fn new(id: &'a str, input: &str, values: &Values) -> Result<Self> {
        Ok(Self {
            id,
            norm: values.choice("norm")?,
            activation: values.choice("activation")?,
            last: input.to_owned(),
            nodes: Vec::new(),
        })
    }

    /// Nothing yet, behind `input`, for a block that names its own normalization and nonlinearity.
    pub(super) fn bare(id: &'a str, input: &str) -> Self {
        Self {
            id,
            norm: "none".to_owned(),
            activation: "none".to_owned(),
            last: input.to_owned(),
            nodes: Vec::new(),
        }
    }

    /// The same with the nonlinearity that `values` say.
    pub(super) fn activated(mut self, values: &Values) -> Result<Self> {
        self.activation = values.choice("activation")?;
        Ok(self)
    }

    /// The name of a part in the network.
    pub(super) fn name(&self, part: &str) -> String {
        format!("{}_{part}", self.id)
    }

    /// The name of what was added last.
    pub(super) fn last(&self) -> String {
        self.last.clone()
    }

    /// Goes on behind `node`, to begin another branch.
    pub(super) fn go_on_from(&mut self, node: &str) {
        node.clone_into(&mut self.last);
    }

    /// A node behind the last one.
    pub(super) fn add(&mut self, part: &str, kind: &str, fields: Value) {
        let last = self.last.clone();
        self.join(part, kind, &[&last], fields);
    }

    /// A node behind several.
    pub(super) fn join(&mut self, part: &str, kind: &str, inputs: &[&str], fields: Value) {
        self.last = self.name(part);
        self.nodes
            .push(NodeSpec::new(&self.last, kind, fields).from(inputs));
    }

    /// A convolution, by default padded to keep its size, with a bias only where no normalization
    /// follows that would take it out again.
    pub(super) fn conv(&mut self, part: &str, mut fields: Value) {
        if let Some(fields) = fields.as_object_mut() {
            fields
                .entry("padding")
                .or_insert_with(|| Value::from("same"));
            let bias = self.norm == "none";
            fields.entry("bias").or_insert_with(|| Value::from(bias));
        }
        self.add(part, "conv2d", fields);
    }

    /// A filter for each map; `fields` as for a convolution.
    fn depthwise(&mut self, part: &str, mut fields: Value) {
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("padding".to_owned(), Value::from("same"));
            fields.insert("bias".to_owned(), Value::from(self.norm == "none"));
        }
        self.add(part, "depthwise_conv2d", fields);
    }

    /// A filter for each map, normalization, nonlinearity.
    pub(super) fn depthwise_norm_act(&mut self, suffix: &str, fields: Value) {
        self.depthwise(&format!("conv{suffix}"), fields);
        self.norm(suffix);
        self.activate(suffix);
    }

    /// The block's normalization, `<block>_bn<suffix>`; nothing where it has none.
    pub(super) fn norm(&mut self, suffix: &str) {
        let found = NORMS.iter().find(|norm| norm.name == self.norm);
        if let Some(norm) = found.filter(|norm| !norm.kind.is_empty()) {
            self.add(&format!("{}{suffix}", norm.part), norm.kind, fields!({}));
        }
    }

    /// The block's nonlinearity, `<block>_relu<suffix>`; nothing where it has none.
    pub(super) fn activate(&mut self, suffix: &str) {
        if self.activation != "none" {
            let activation = self.activation.clone();
            self.add(&format!("{activation}{suffix}"), &activation, fields!({}));
        }
    }

    /// Convolution, normalization, nonlinearity.
    pub(super) fn conv_norm_act(&mut self, suffix: &str, fields: Value) {
        self.conv(&format!("conv{suffix}"), fields);
        self.norm(suffix);
        self.activate(suffix);
    }

    /// Stochastic depth at the end of a branch, where `values` ask for it.
    pub(super) fn leave_out(&mut self, part: &str, values: &Values) -> Result<()> {
        let rate = values.number("stochastic_depth")?;
        if rate > 0.0 {
            self.add(part, "stochastic_depth", fields!({ "rate": rate }));
        }
        Ok(())
    }

    /// All nodes; the last one gets the block's name.
    pub(super) fn finish(mut self) -> Vec<NodeSpec> {
        if let Some(last) = self.nodes.last_mut() {
            last.id = Some(self.id.to_owned());
        }
        self.nodes
    }
}

/// How often a block's branch is left out.
pub(super) fn stochastic_depth_field() -> Field {
    let doc = "Probability that what is added to the shortcut is left out for an image (Huang et al. 2016).";
    Field::number("stochastic_depth", doc, 0.0, 0.99, 0.0)
}

/// A normalization that blocks can have.
struct Norm {
    name: &'static str,
    kind: &'static str,
    part: &'static str,
}

/// The normalizations by name.
const NORMS: &[Norm] = &[
    Norm {
        name: "batch",
        kind: "batch_norm2d",
        part: "bn",
    },
    Norm {
        name: "group",
        kind: "group_norm",
        part: "gn",
    },
    Norm {
        name: "instance",
        kind: "instance_norm2d",
        part: "in",
    },
    Norm {
        name: "none",
        kind: "",
        part: "",
    },
];

/// The nonlinearities that blocks can have; "none" for none.
const ACTIVATIONS: &[&str] = &[
    "relu",
    "leaky_relu",
    "prelu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "hard_swish",
    "relu6",
    "tanh",
    "sigmoid",
    "none",
];

/// The choice of a normalization, for blocks and for architectures made of them.
pub fn norm_field(default: &str) -> Field {
    let names: Vec<&str> = NORMS.iter().map(|norm| norm.name).collect();
    let doc = "What is normalized behind each convolution; without, it has a bias instead.";
    Field::choice("norm", doc, &names, default)
}

/// The layer that `norm` (a name of [`norm_field`]) stands for; `None` for no normalization.
pub fn norm_layer(norm: &str) -> Option<&'static str> {
    let found = NORMS.iter().find(|one| one.name == norm);
    found.map(|one| one.kind).filter(|kind| !kind.is_empty())
}

/// The choice of a nonlinearity, likewise.
pub fn activation_field(default: &str) -> Field {
    Field::choice("activation", "The nonlinearity.", ACTIVATIONS, default)
}

/// A number of maps.
pub(super) fn channels_field(name: &str, doc: &str, default: f64) -> Field {
    Field::integer(name, doc, 1.0, 4096.0, default)
}

/// The step of a block.
pub(super) fn stride_field() -> Field {
    let doc = "Step between outputs, in pixels.";
    Field::integer("stride", doc, 1.0, 16.0, 1.0)
}
