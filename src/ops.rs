//! The primitive operations: one file each, with its documentation, shape rule, gradient rule, CPU
//! kernel and examples; its WGSL is in `shaders/` under the same stem. Each file's public function
//! adds the op to a graph. A new op is one new file, its shader, and its line in [`OPS`]; the tests
//! iterate the registry.

mod add;
mod affine;
mod alias;
mod batch_norm;
mod batch_norm_gradient;
mod channel_variance;
mod copy;
mod leaky_relu;
mod mul;
mod mutating;
mod relu;
mod running_average;
mod sigmoid;
mod sum;
mod tanh;
mod testing;

pub use add::add;
pub use affine::affine;
pub use alias::{pack, reshape, view};
pub use batch_norm::batch_norm;
pub use channel_variance::{channel_mean, channel_variance};
pub use copy::{copy, copy_kernel};
pub use leaky_relu::leaky_relu;
pub use mul::mul;
pub use relu::relu;
pub use running_average::running_average;
pub use sigmoid::sigmoid;
pub use sum::{broadcast, mean, sum};
pub use tanh::tanh;

use crate::graph::OpInfo;

/// Every operation, by file.
pub const OPS: &[OpInfo] = &[
    add::INFO,
    affine::INFO,
    alias::VIEW_INFO,
    alias::PACK_INFO,
    batch_norm::INFO,
    channel_variance::INFO,
    copy::INFO,
    leaky_relu::INFO,
    leaky_relu::GATE_INFO,
    mul::INFO,
    relu::INFO,
    relu::GATE_INFO,
    running_average::INFO,
    sigmoid::INFO,
    sum::SUM_INFO,
    sum::BROADCAST_INFO,
    tanh::INFO,
];
