//! The layers and blocks that a network is described with: one file each. A layer is a function from
//! a [`Scope`] to its output value; a block is a function to the nodes it consists of. A new one is
//! one new file and its line in [`LAYERS`]; the page draws its form from `fields`.

mod activation;
mod attention;
mod auxiliary;
mod batch_norm;
mod bottleneck;
mod conv2d;
mod conv_block;
mod conv_nd;
mod conv_transpose2d;
mod dense;
mod dense_block;
mod depthwise;
mod dropout;
mod group_conv;
mod inception;
mod inverted_bottleneck;
mod join;
mod locally_connected;
mod norm;
mod parts;
mod pool2d;
mod rbf;
mod recurrent_conv;
mod residual;
mod separable_block;
mod shape;
mod shortcut;
mod squeeze_excite;
mod subsample;
mod transformer_block;
mod upsample;

pub use parts::{activation_field, norm_field, norm_layer};

use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::graph::ValueId;

use super::scope::Scope;
use super::spec::NodeSpec;

/// A registry entry.
#[derive(Debug)]
pub struct LayerKind {
    /// The name that specs use.
    pub id: &'static str,
    /// One sentence, with the paper where there is one.
    pub doc: &'static str,
    /// Its settings.
    pub fields: fn() -> Vec<Field>,
    /// What it does.
    pub body: Body,
}

/// What a [`LayerKind`] does.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// Adds itself to a graph and returns its output.
    Layer(fn(&mut Scope<'_>) -> Result<ValueId>),
    /// Stands for these nodes, given its id, its input and its fields. The last one has its id.
    Block(fn(&str, &str, &Values) -> Result<Vec<NodeSpec>>),
}

/// Every layer and block.
pub const LAYERS: &[LayerKind] = &[
    conv2d::KIND,
    depthwise::DEPTHWISE,
    depthwise::SEPARABLE,
    conv_transpose2d::KIND,
    locally_connected::KIND,
    conv_nd::ONE,
    conv_nd::THREE,
    recurrent_conv::KIND,
    group_conv::LIFTING,
    group_conv::GROUP,
    group_conv::POOL,
    dense::KIND,
    activation::TANH,
    activation::SIGMOID,
    activation::RELU,
    activation::RELU6,
    activation::LEAKY_RELU,
    activation::PRELU,
    activation::ELU,
    activation::SELU,
    activation::GELU,
    activation::SILU,
    activation::HARD_SWISH,
    activation::SOFTMAX,
    dropout::DROPOUT,
    dropout::SPATIAL_DROPOUT,
    dropout::STOCHASTIC_DEPTH,
    pool2d::MAX,
    pool2d::AVERAGE,
    pool2d::GLOBAL,
    pool2d::GLOBAL_MAX,
    upsample::UPSAMPLE,
    upsample::UNPOOL,
    subsample::KIND,
    batch_norm::TWO,
    batch_norm::ONE,
    batch_norm::P4,
    norm::LOCAL_RESPONSE,
    norm::LAYER,
    norm::INSTANCE,
    norm::GROUP,
    join::ADD,
    join::MULTIPLY,
    join::SCALE_CHANNELS,
    join::CONCAT,
    shape::FLATTEN,
    attention::SELF_ATTENTION,
    attention::POSITION_EMBEDDING,
    attention::SEQ_POOL,
    auxiliary::KIND,
    shortcut::KIND,
    rbf::KIND,
    conv_block::KIND,
    separable_block::KIND,
    residual::KIND,
    bottleneck::KIND,
    inception::KIND,
    dense_block::KIND,
    dense_block::TRANSITION,
    squeeze_excite::KIND,
    inverted_bottleneck::KIND,
    transformer_block::KIND,
];

/// The entry called `id`.
pub(super) fn find(id: &str) -> Result<&'static LayerKind> {
    LAYERS
        .iter()
        .find(|kind| kind.id == id)
        .ok_or_else(|| Error::unknown("layer", id, LAYERS.iter().map(|kind| kind.id)))
}

/// No settings.
fn no_fields() -> Vec<Field> {
    Vec::new()
}

/// The choice of an initialization scheme.
fn init_field(default: &str) -> Field {
    let names: Vec<&str> = super::init::SCHEMES.iter().map(|(name, _)| *name).collect();
    Field::choice("init", "How the weights begin.", &names, default)
}
