//! The primitive operations: one file each, with its documentation, shape rule, gradient rule, CPU
//! kernel and examples; its WGSL is in `shaders/` under the same stem. Each file's public function
//! adds the op to a graph. A new op is one new file, its shader, and its line in [`OPS`]; the tests
//! iterate the registry.

mod adam;
mod add;
mod affine;
mod alias;
mod avg_pool2d;
mod batch_norm;
mod batch_norm_gradient;
mod channel_range;
mod channels;
mod conv2d;
mod copy;
mod cross_entropy;
mod gather;
mod indices;
mod leaky_relu;
mod matmul;
mod max_pool2d;
mod metrics;
mod moments;
mod mul;
mod mutating;
mod one_hot;
mod pool2d;
mod product;
mod random;
mod ratio;
mod relu;
mod roll2d;
mod rows;
mod running_average;
mod sgd;
mod sigmoid;
mod softmax;
mod sum;
mod sum_parts;
mod tanh;
mod testing;
mod tile;
mod transpose;
mod window;

pub use adam::adam;
pub use add::add;
pub use affine::affine;
pub use alias::{pack, reshape, view};
pub use avg_pool2d::{avg_pool2d, avg_pool2d_gradient};
pub use batch_norm::batch_norm;
pub use channel_range::channel_range;
pub use channels::{concat_channels, pad_channels, slice_channels};
pub use conv2d::{Conv2d, conv2d, conv2d_input_gradient, conv2d_weight_gradient};
pub use copy::{copy, copy_kernel};
pub use cross_entropy::{correct, cross_entropy};
pub use gather::{MOST_SHARDS, gather_images, gather_labels};
pub use indices::{epoch_indices, sequential_indices};
pub use leaky_relu::leaky_relu;
pub use matmul::matmul;
pub use max_pool2d::{max_pool2d, max_pool2d_switches, max_unpool2d, pool_take};
pub use metrics::{advance, confusion, record, tally};
pub use moments::moments;
pub use mul::mul;
pub use one_hot::one_hot;
pub use pool2d::Pool2d;
pub use random::random_offsets;
pub use ratio::ratio;
pub use relu::relu;
pub use roll2d::roll2d;
pub use running_average::running_average;
pub use sgd::sgd;
pub use sigmoid::sigmoid;
pub use softmax::softmax;
pub use sum::{broadcast, mean, sum, sum_kernel};
pub use sum_parts::{MOST_SOURCES, Segment, sum_parts_kernel, sum_parts_table};
pub use tanh::tanh;
pub use transpose::transpose;

use crate::graph::OpInfo;

/// Every operation, by file.
pub const OPS: &[OpInfo] = &[
    adam::INFO,
    add::INFO,
    affine::INFO,
    alias::VIEW_INFO,
    alias::PACK_INFO,
    avg_pool2d::INFO,
    avg_pool2d::GRADIENT_INFO,
    batch_norm::INFO,
    channel_range::INFO,
    channels::CONCAT_INFO,
    channels::SLICE_INFO,
    channels::PAD_INFO,
    conv2d::INFO,
    conv2d::INPUT_GRADIENT_INFO,
    conv2d::WEIGHT_GRADIENT_INFO,
    copy::INFO,
    cross_entropy::INFO,
    cross_entropy::CORRECT_INFO,
    gather::IMAGES_INFO,
    gather::LABELS_INFO,
    indices::EPOCH_INFO,
    indices::SEQUENTIAL_INFO,
    leaky_relu::INFO,
    leaky_relu::GATE_INFO,
    matmul::INFO,
    max_pool2d::SWITCHES_INFO,
    max_pool2d::TAKE_INFO,
    max_pool2d::UNPOOL_INFO,
    metrics::ADVANCE_INFO,
    metrics::CONFUSION_INFO,
    metrics::RECORD_INFO,
    metrics::TALLY_INFO,
    moments::INFO,
    mul::INFO,
    one_hot::INFO,
    random::INFO,
    ratio::INFO,
    relu::INFO,
    relu::GATE_INFO,
    roll2d::INFO,
    running_average::INFO,
    sgd::INFO,
    sigmoid::INFO,
    softmax::INFO,
    sum::SUM_INFO,
    sum::BROADCAST_INFO,
    tanh::INFO,
    transpose::INFO,
];
