//! The CPU side of convolution: products of windows and filters that are never written out. The
//! forward pass sums in registers along the window's rows, which are contiguous in a framed NHWC
//! image; the gradient of the input adds its blocks where the windows are; the gradient of the filters
//! sums over pixels. Anderson et al. 2017, "Low-memory GEMM-based convolution algorithms for deep neural
//! networks", compare this family with the patch matrix that it stands in for.

mod forward;
mod input_gradient;
mod weight_gradient;

pub(super) use forward::Forward;
pub(super) use input_gradient::InputGradient;
pub(super) use weight_gradient::WeightGradient;

#[cfg(test)]
mod tests;
