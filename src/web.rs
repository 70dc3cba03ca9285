//! The boundary between the core and the page's worker: a [`Lab`] does everything the page can ask,
//! `bindings` exports it to JavaScript, `messages` are the plain objects that cross, and the presenters
//! draw live tiles into the page's canvases. Errors are reported here and nowhere else.
//!
//! [`Lab`] itself knows nothing of JavaScript, so that native tests drive what the page drives.

#[cfg(target_arch = "wasm32")]
mod bindings;
pub mod catalog;
mod choices;
mod colors;
#[cfg(target_arch = "wasm32")]
mod convert;
#[cfg(target_arch = "wasm32")]
mod desk;
mod lab;
mod look;
pub mod messages;
mod pace;
mod paint;
mod plans;
#[cfg(target_arch = "wasm32")]
mod present_gpu;
#[cfg(target_arch = "wasm32")]
mod present_host;
mod tiles;
mod work;

pub use lab::{Image, Lab};
pub use paint::{ColorTables, paint};
pub use tiles::{Group, Mode, Placed};
pub use work::{Given, Slice};
