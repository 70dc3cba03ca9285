//! Known architectures: one file per family, each entry a function from an input shape, a number of
//! classes and its own fields to a [`NetworkSpec`]. Nothing here executes; a new architecture is a
//! function and its line in [`ARCHITECTURES`].

mod alexnet;
mod all_cnn;
mod amoebanet;
mod cct;
mod densenet;
mod efficientnet;
mod group_equivariant;
mod inception;
mod lenet;
mod mbconv;
mod mobile;
mod resnet;
mod stack;
mod vgg;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::nn::NetworkSpec;

/// A registry entry.
#[derive(Debug)]
pub struct Architecture {
    /// The name that scripts use.
    pub id: &'static str,
    /// What the page calls it.
    pub name: &'static str,
    /// One sentence, with the paper.
    pub doc: &'static str,
    /// The file it is in: architectures that belong together.
    pub family: &'static str,
    /// Whether it is the published network at its full size, which is described and counted here, and trained
    /// elsewhere; the others learn in a browser.
    pub full: bool,
    /// The input `[c, h, w]` it was made for.
    pub input: [usize; 3],
    /// The number of classes it was made for.
    pub classes: usize,
    /// Its settings.
    pub fields: fn() -> Vec<Field>,
    /// Describes it for an input `[c, h, w]` and a number of classes.
    pub spec: fn(&Values, [usize; 3], usize) -> Result<NetworkSpec>,
}

/// Every architecture.
pub const ARCHITECTURES: &[Architecture] = &[
    lenet::MODERN,
    lenet::ORIGINAL,
    alexnet::MINI,
    alexnet::MINI_ZFNET,
    vgg::MINI,
    inception::MINI,
    inception::MINI_BN,
    resnet::RESNET20,
    resnet::PLAIN20,
    resnet::SE20,
    densenet::CIFAR,
    mobile::MINI_V1,
    mobile::MINI_V2,
    efficientnet::MINI_MNASNET,
    efficientnet::MINI_EFFICIENTNET,
    all_cnn::MINI,
    group_equivariant::P4CNN,
    cct::CCT,
    amoebanet::MINI,
    alexnet::FULL,
    alexnet::ZFNET,
    vgg::FULL,
    inception::GOOGLENET,
    inception::BN,
    resnet::FULL,
    resnet::SE,
    densenet::FULL,
    mobile::V1,
    mobile::V2,
    efficientnet::MNASNET,
    efficientnet::EFFICIENTNET,
    all_cnn::FULL,
    group_equivariant::ALL_CNN,
    amoebanet::FULL,
];

/// The entry called `id`.
///
/// # Errors
/// When there is none.
pub fn find(id: &str) -> Result<&'static Architecture> {
    ARCHITECTURES
        .iter()
        .find(|entry| entry.id == id)
        .ok_or_else(|| Error::unknown("architecture", id, ARCHITECTURES.iter().map(|e| e.id)))
}

/// The description of architecture `id` with `options`, for an input `[c, h, w]` and `classes`.
///
/// # Errors
/// When there is no such architecture, an option is not one of its fields, or it cannot work on
/// such an input.
pub fn spec(
    id: &str,
    options: &Map<String, Value>,
    input: [usize; 3],
    classes: usize,
) -> Result<NetworkSpec> {
    let entry = find(id)?;
    let values = Values::check(entry.id, &(entry.fields)(), options)?;
    (entry.spec)(&values, input, classes)
}
