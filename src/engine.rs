//! The rooms whose code has to be fast, as a crate of their own: a compiler option holds for a whole crate, and in
//! what visitors download all other rooms are made small (`profile.web` in `Cargo.toml`). Nothing else follows from
//! it: `convscope` takes these rooms in under their own names, and the house is the one that `src/lib.rs` shows.

pub mod error;
pub mod graph;
pub mod ops;
pub mod program;
pub mod rng;
pub mod tensor;
