//! The room whose code has to be fast, as a crate of its own: a compiler option holds for a whole crate, and in
//! what visitors download all other rooms are made small (`profile.web` in `Cargo.toml`). Nothing else follows from
//! it: `convscope` takes the rooms of both crates in under their own names, and the house is the one that `src/lib.rs`
//! shows.

pub use convscope_base::{error, graph, program, rng, tensor, wgsl};

pub mod ops;
