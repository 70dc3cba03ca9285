//! convscope: a convnet laboratory that runs in a browser tab.
//!
//! One way through the house, each room standing only on rooms above it:
//!
//! ```text
//! data ─▶ nn (description) ─▶ graph of ops ─▶ autodiff ─▶ compile ─▶ program ─▶ backend ─▶ train ─▶ visualize ─▶ web ─▶ page
//! ```
//!
//! Rooms in reading order are the lines below (six of them are compiled apart: `src/base.rs`, `src/engine.rs`). `tests/architecture.rs` holds the table of which
//! room may use which, and turns red when an edge is added. Start with [`graph`] and one file of
//! [`ops`]; then [`compile`], which turns a graph into a [`program`]; then [`backend`].

pub use convscope_engine::error;
pub mod field;
pub use convscope_engine::rng;
pub use convscope_engine::tensor;

pub use convscope_engine::program;

pub use convscope_engine::graph;

pub use convscope_engine::ops;

pub mod autodiff;

pub mod nn;
pub mod zoo;

pub mod data;

pub mod compile;

pub mod backend;

pub mod train;

pub mod visualize;

pub mod web;
