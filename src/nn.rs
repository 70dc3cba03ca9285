//! Networks as descriptions. A [`NetworkSpec`] (JSON that a person can write) lists nodes; each
//! node's kind is an entry of [`LAYERS`], one file in `nn/layers/`, which declares its parameters and
//! adds its ops to a graph. [`Network::new`] runs the layers once on a scratch graph, which is all of
//! shape inference, and [`Network::build`] runs them again on the graph that will be compiled.
//! Parameters live in one flat buffer and running statistics in another; what leaves them is in
//! PyTorch's layout and names ([`Network::export`], [`Network::import`]).

mod analysis;
mod boundary;
mod init;
mod kernel;
pub mod layers;
mod memory;
mod network;
mod scope;
mod spec;
mod walk;

pub use analysis::ReceptiveField;
pub use boundary::Boundary;
pub use init::{Init, Scheme};
pub use kernel::Kernel;
pub use layers::{Body, LAYERS, LayerKind, activation_field, norm_field, norm_layer};
pub use memory::TrainingMemory;
pub use network::{Built, LayerInfo, Network, Parameter};
pub use scope::{Declaration, Inner, Mode, Scope};
pub(crate) use spec::fields;
pub(crate) use spec::{FieldValue, fields_of};
pub use spec::{NetworkSpec, NodeSpec};
pub use walk::Edit;
