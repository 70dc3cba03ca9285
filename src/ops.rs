//! The primitive operations: one file each, with its documentation, shape rule, gradient rule, CPU
//! kernel and examples; its WGSL is in `shaders/` under the same stem. Each file's public function
//! adds the op to a graph. A new op is one new file, its shader, and its line in [`OPS`]; the tests
//! iterate the registry.

mod add;
mod alias;
mod copy;
mod relu;
mod sum;
mod testing;

pub use add::add;
pub use alias::{pack, reshape, view};
pub use copy::{copy, copy_kernel};
pub use relu::relu;
pub use sum::{broadcast, mean, sum};

use crate::graph::OpInfo;

/// Every operation, by file.
pub const OPS: &[OpInfo] = &[
    add::INFO,
    alias::VIEW_INFO,
    alias::PACK_INFO,
    copy::INFO,
    relu::INFO,
    relu::GATE_INFO,
    sum::SUM_INFO,
    sum::BROADCAST_INFO,
];
