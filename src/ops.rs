//! The primitive operations: one file each, with its documentation, shape rule, gradient rule, CPU
//! kernel and examples; its WGSL is in `shaders/` under the same stem. Each file's public function
//! adds the op to a graph. A new op is one new file, its shader, and its line in [`OPS`]; the tests
//! iterate the registry.

mod add;
mod affine;
mod alias;
mod avg_pool2d;
mod batch_norm;
mod batch_norm_gradient;
mod channel_variance;
mod channels;
mod conv2d;
mod copy;
mod leaky_relu;
mod matmul;
mod max_pool2d;
mod mul;
mod mutating;
mod pool2d;
mod relu;
mod roll2d;
mod running_average;
mod sigmoid;
mod sum;
mod tanh;
mod testing;
mod transpose;
mod window;

pub use add::add;
pub use affine::affine;
pub use alias::{pack, reshape, view};
pub use avg_pool2d::{avg_pool2d, avg_pool2d_gradient};
pub use batch_norm::batch_norm;
pub use channel_variance::{channel_mean, channel_variance};
pub use channels::{concat_channels, pad_channels, slice_channels};
pub use conv2d::{Conv2d, conv2d, conv2d_input_gradient, conv2d_weight_gradient};
pub use copy::{copy, copy_kernel};
pub use leaky_relu::leaky_relu;
pub use matmul::matmul;
pub use max_pool2d::{max_pool2d, max_pool2d_switches, max_unpool2d, pool_take};
pub use mul::mul;
pub use pool2d::Pool2d;
pub use relu::relu;
pub use roll2d::roll2d;
pub use running_average::running_average;
pub use sigmoid::sigmoid;
pub use sum::{broadcast, mean, sum};
pub use tanh::tanh;
pub use transpose::transpose;

use crate::graph::OpInfo;

/// Every operation, by file.
pub const OPS: &[OpInfo] = &[
    add::INFO,
    affine::INFO,
    alias::VIEW_INFO,
    alias::PACK_INFO,
    avg_pool2d::INFO,
    avg_pool2d::GRADIENT_INFO,
    batch_norm::INFO,
    channel_variance::INFO,
    channels::CONCAT_INFO,
    channels::SLICE_INFO,
    channels::PAD_INFO,
    conv2d::INFO,
    conv2d::INPUT_GRADIENT_INFO,
    conv2d::WEIGHT_GRADIENT_INFO,
    copy::INFO,
    leaky_relu::INFO,
    leaky_relu::GATE_INFO,
    matmul::INFO,
    max_pool2d::SWITCHES_INFO,
    max_pool2d::TAKE_INFO,
    max_pool2d::UNPOOL_INFO,
    mul::INFO,
    relu::INFO,
    relu::GATE_INFO,
    roll2d::INFO,
    running_average::INFO,
    sigmoid::INFO,
    sum::SUM_INFO,
    sum::BROADCAST_INFO,
    tanh::INFO,
    transpose::INFO,
];
