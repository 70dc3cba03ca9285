//! The primitive operations: one file each, with its documentation, shape rule, gradient rule, CPU
//! kernel and examples; its WGSL is in `shaders/` under the same stem. Each file's public function
//! adds the op to a graph. A new op is one new file, its shader, and its line in [`OPS`]; the tests
//! iterate the registry.

mod adadelta;
mod adam;
mod add;
mod affine;
mod affine_positions;
mod alias;
mod attention;
mod average;
mod avg_pool2d;
mod batch_norm;
mod batch_norm_gradient;
mod bernoulli;
mod channel_range;
mod channel_window_sum;
mod channels;
mod clip_gradients;
mod color_jitter;
mod conv2d;
mod copy;
mod cross_entropy;
mod curve;
mod cutout;
mod descent;
mod elastic;
mod elu;
mod every;
mod focal;
mod gated;
mod gather;
mod gather_sum;
mod gelu;
mod gemm;
mod group_norm;
mod hard_swish;
mod histogram;
mod indices;
mod lanes;
mod largest;
mod lars;
mod leaky_relu;
mod learning_rate;
mod matmul;
mod max_pool2d;
mod metrics;
mod mixup;
mod moments;
mod mul;
mod mutating;
mod one_hot;
mod plateau_rate;
mod pool2d;
mod power;
mod prelu;
mod product;
mod random;
mod ratio;
mod relu;
mod relu6;
mod rmsprop;
mod roll2d;
mod rows;
mod running_average;
mod sample2d;
mod sample2d_gradient;
mod sgd;
mod sigmoid;
mod silu;
mod softmax;
mod sum;
mod sum_parts;
mod tanh;
mod testing;
mod tile;
mod top_images;
mod transpose;
mod unfold;
mod upsample_bilinear2d;
mod window;

pub use adadelta::adadelta;
pub use adam::adam;
pub use add::add;
pub use affine::affine;
pub use affine_positions::affine_positions;
pub use alias::{pack, reshape, view};
pub use attention::{attention_mix, attention_scores};
pub use average::average;
pub use avg_pool2d::{avg_pool2d, avg_pool2d_gradient};
pub use batch_norm::{batch_norm, batch_norm_by_own};
pub use bernoulli::bernoulli;
pub use channel_range::channel_range;
pub use channel_window_sum::channel_window_sum;
pub use channels::{concat_channels, pad_channels, slice_channels};
pub use clip_gradients::clip_gradients;
pub use color_jitter::color_jitter;
pub use conv2d::{Conv2d, conv2d, conv2d_input_gradient, conv2d_weight_gradient};
pub use copy::{copy, copy_kernel};
pub use cross_entropy::{correct, cross_entropy};
pub use cutout::cutout;
pub use descent::descent;
pub use elastic::elastic_displacement;
pub use elu::elu;
pub use every::every;
pub use focal::focal;
pub use gather::{MOST_SHARDS, gather_images, gather_labels};
pub use gather_sum::gather_sum;
pub use gelu::gelu;
pub use group_norm::group_norm;
pub use hard_swish::hard_swish;
pub use histogram::histogram;
pub use indices::{Items, epoch_indices, epoch_items, sequential_indices};
pub use largest::largest;
pub use lars::lars;
pub use leaky_relu::leaky_relu;
pub use learning_rate::learning_rate;
pub use matmul::matmul;
pub use max_pool2d::{max_pool2d, max_pool2d_switches, max_unpool2d, pool_take};
pub use metrics::{advance, confusion, record, tally};
pub use mixup::{mirrored, mix_mirrored, mixup_shares};
pub use moments::{Moments, moments};
pub use mul::{mul, mul_along};
pub use one_hot::one_hot;
pub use plateau_rate::{Plateau, plateau_rate};
pub use pool2d::Pool2d;
pub use power::power;
pub use prelu::prelu;
pub use random::random_offsets;
pub use ratio::ratio;
pub use relu::relu;
pub use relu6::relu6;
pub use rmsprop::rmsprop;
pub use roll2d::roll2d;
pub use running_average::running_average;
pub use sample2d::{sample2d, sample2d_near};
pub use sample2d_gradient::sample2d_gradient;
pub use sgd::sgd;
pub use sigmoid::sigmoid;
pub use silu::silu;
pub use softmax::softmax;
pub use sum::{broadcast, mean, sum, sum_kernel};
pub use sum_parts::{Segment, sum_parts_kernel, sum_parts_table};
pub use tanh::tanh;
pub use top_images::{TOP_ROW, empty_top_images, top_images};
pub use transpose::transpose;
pub use unfold::{fold, unfold};
pub use upsample_bilinear2d::upsample_bilinear2d;

use crate::graph::OpInfo;

/// Every operation, by file.
pub const OPS: &[OpInfo] = &[
    adadelta::INFO,
    adam::INFO,
    add::INFO,
    affine::INFO,
    affine_positions::INFO,
    alias::VIEW_INFO,
    alias::PACK_INFO,
    attention::SCORES_INFO,
    attention::MIX_INFO,
    average::INFO,
    avg_pool2d::INFO,
    avg_pool2d::GRADIENT_INFO,
    batch_norm::INFO,
    bernoulli::INFO,
    channel_range::INFO,
    channel_window_sum::INFO,
    channels::CONCAT_INFO,
    channels::SLICE_INFO,
    channels::PAD_INFO,
    clip_gradients::INFO,
    color_jitter::INFO,
    conv2d::INFO,
    conv2d::INPUT_GRADIENT_INFO,
    conv2d::WEIGHT_GRADIENT_INFO,
    copy::INFO,
    cross_entropy::INFO,
    cross_entropy::CORRECT_INFO,
    cutout::INFO,
    descent::INFO,
    elastic::INFO,
    elu::INFO,
    every::INFO,
    focal::INFO,
    gather::IMAGES_INFO,
    gather::LABELS_INFO,
    gather_sum::INFO,
    gelu::INFO,
    group_norm::INFO,
    hard_swish::INFO,
    histogram::INFO,
    indices::EPOCH_INFO,
    indices::SEQUENTIAL_INFO,
    largest::INFO,
    lars::INFO,
    leaky_relu::INFO,
    leaky_relu::GATE_INFO,
    learning_rate::INFO,
    matmul::INFO,
    max_pool2d::SWITCHES_INFO,
    max_pool2d::TAKE_INFO,
    max_pool2d::UNPOOL_INFO,
    metrics::ADVANCE_INFO,
    metrics::CONFUSION_INFO,
    metrics::RECORD_INFO,
    metrics::TALLY_INFO,
    mixup::SHARES_INFO,
    mixup::MIX_INFO,
    mixup::MIRRORED_INFO,
    moments::INFO,
    mul::INFO,
    one_hot::INFO,
    plateau_rate::INFO,
    power::INFO,
    prelu::INFO,
    prelu::GATE_INFO,
    random::INFO,
    ratio::INFO,
    relu::INFO,
    relu::GATE_INFO,
    relu6::INFO,
    relu6::GATE_INFO,
    rmsprop::INFO,
    roll2d::INFO,
    running_average::INFO,
    sample2d::INFO,
    sample2d_gradient::INFO,
    sgd::INFO,
    sigmoid::INFO,
    silu::INFO,
    softmax::INFO,
    sum::SUM_INFO,
    sum::BROADCAST_INFO,
    tanh::INFO,
    top_images::INFO,
    transpose::INFO,
    unfold::INFO,
    unfold::FOLD_INFO,
    upsample_bilinear2d::INFO,
];
