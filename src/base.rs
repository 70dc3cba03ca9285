//! The rooms that describe what is computed, as a crate of their own that `engine` stands on: they are made small,
//! while the kernels there are made fast.

pub mod error;
pub mod graph;
pub mod program;
pub mod rng;
pub mod tensor;
