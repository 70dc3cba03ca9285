//! Ways to see what a network has learned: one file per method, one line in [`VISUALIZATIONS`].
//!
//! A method is a [`Recipe`]: a compiled program over the network's own weights (which it never
//! writes), the initial contents of the buffers that are the recipe's own, how often to run the
//! program, and how to turn its outputs into pictures. A reconstruction runs once; an optimized image
//! runs a few hundred times and shows every state on the way; a comparison is a chain of recipes. [`Job`]
//! runs any of them on any backend.

mod ablation;
mod activation_maximization;
mod attribution;
mod deconvnet;
mod feature_maps;
mod invariance;
mod job;
mod kernels;
mod mosaic;
pub mod parameterization;
mod top_patches;

pub use attribution::Attribution;
pub use job::Job;

use crate::compile::Compiled;
use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::graph::{Graph, ValueId};
use crate::nn::Network;
use crate::ops;
use crate::tensor::{Spec, Tensor};
use crate::train::DataLayout;

/// A finished picture in host memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// What it shows, in plain words.
    pub title: String,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// 1 or 3.
    pub channels: usize,
    /// `[channels, height, width]`.
    pub data: Vec<f32>,
    /// Whether zero is the middle of the scale (diverging colors); else values are in 0..1 for
    /// images, or from 0 up.
    pub signed: bool,
    /// How its values are to be shown.
    pub shown: Shown,
    /// What the first and the last step of [`Shown::Curves`] are.
    pub ends: [String; 2],
}

/// How a [`Picture`]'s values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// As an image.
    #[default]
    Image,
    /// As colors of a scale from the smallest to the largest value: a measurement for every pixel, which may
    /// be laid over the image it explains.
    Map,
    /// As a plot: each row is a curve, over equal steps from one of [`Picture::ends`] to the other.
    Curves,
}

impl Shown {
    /// The name that the page knows.
    pub fn id(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Map => "map",
            Self::Curves => "curves",
        }
    }
}

/// The ends of a curve over shares.
fn ends() -> [String; 2] {
    ["0".to_owned(), "100 %".to_owned()]
}

impl Picture {
    /// A picture of `tensor`, `[c, h, w]`. Other numbers of channels than 3 are averaged into one.
    ///
    /// # Errors
    /// When the tensor does not have three axes.
    pub fn new(title: impl Into<String>, tensor: &Tensor, signed: bool) -> Result<Self> {
        let shape = tensor.shape();
        let [channels, height, width] = <[usize; 3]>::try_from(shape.dims())
            .map_err(|_| Error::mismatch("picture", "3 axes", shape.to_string()))?;
        let data = tensor.to_vec();
        let title = title.into();
        if channels == 1 || channels == 3 {
            return Ok(Self {
                title,
                width,
                height,
                channels,
                data,
                signed,
                shown: Shown::Image,
                ends: ends(),
            });
        }
        let area = height * width;
        let mean = |i| data.iter().skip(i).step_by(area).sum::<f32>() / channels.max(1) as f32;
        let data = (0..area).map(mean).collect();
        Ok(Self {
            title,
            width,
            height,
            channels: 1,
            data,
            signed,
            shown: Shown::Image,
            ends: ends(),
        })
    }

    /// The same with other words for the first and the last step of its curves than 0 and 100 %.
    #[must_use]
    pub fn between(mut self, first: impl Into<String>, last: impl Into<String>) -> Self {
        self.ends = [first.into(), last.into()];
        self
    }

    /// The same, shown otherwise.
    #[must_use]
    pub fn shown(mut self, shown: Shown) -> Self {
        self.shown = shown;
        self
    }
}

/// What a method must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// A layer.
    pub layer: bool,
    /// A channel (unit) of that layer.
    pub channel: bool,
    /// An image.
    pub image: bool,
}

/// A checked request.
#[derive(Debug)]
pub struct Request<'a> {
    /// The network.
    pub network: &'a Network,
    /// What images in 0..1 are multiplied by and what is then added, per channel.
    pub normalization: (&'a [f32], &'a [f32]),
    /// Index of the layer in the network.
    pub layer: usize,
    /// Index of the channel in the layer.
    pub channel: usize,
    /// Names of the classes; one without a name is called by its index.
    pub classes: &'a [String],
    /// `[c, h, w]` values in 0..1.
    pub image: Option<&'a Tensor>,
    /// Seed of whatever is random.
    pub seed: u64,
    /// The method's own settings.
    pub values: Values,
    /// The dataset as it lies on the device, for methods that look at all of it.
    pub data: Option<&'a DataLayout>,
}

/// Turns the program's outputs into pictures.
type Decode = Box<dyn Fn(&[Vec<f32>]) -> Result<Vec<Picture>>>;

/// A method, ready to run.
pub struct Recipe {
    /// The program; it reads "parameters" and "statistics" and writes only its own buffers.
    pub compiled: Compiled,
    /// The recipe's own outside buffers and what they hold at first.
    pub buffers: Vec<(&'static str, Vec<u32>)>,
    /// How often the program runs.
    pub runs: u32,
    /// Pictures from the outputs after any number of runs.
    pub decode: Decode,
    /// What runs when this one has ended; its pictures come behind this one's.
    pub then: Option<Box<Next>>,
}

/// Buffers that follow from what a recipe put out.
type Feed = Box<dyn Fn(&[Vec<f32>]) -> Result<Vec<(&'static str, Vec<u32>)>>>;

/// The next recipe of a chain.
pub struct Next {
    /// The recipe.
    pub recipe: Recipe,
    /// More of its buffers, from the outputs of the one before.
    pub feed: Feed,
}

impl std::fmt::Debug for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.recipe.fmt(f)
    }
}

impl Recipe {
    /// Runs of the whole chain.
    pub fn all_runs(&self) -> u32 {
        let then = self.then.as_ref().map_or(0, |next| next.recipe.all_runs());
        self.runs.saturating_add(then)
    }

    /// Puts `recipe`, which needs nothing of this chain, at its end.
    #[must_use]
    pub fn followed_by(mut self, recipe: Self) -> Self {
        self.then = Some(Box::new(match self.then {
            Some(next) => Next {
                recipe: next.recipe.followed_by(recipe),
                feed: next.feed,
            },
            None => Next {
                recipe,
                feed: Box::new(|_| Ok(Vec::new())),
            },
        }));
        self
    }
}

impl std::fmt::Debug for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipe")
            .field("runs", &self.runs)
            .finish_non_exhaustive()
    }
}

/// A method. One file and one registry line each.
pub trait Visualization: Sync {
    /// Key in scripts and links.
    fn id(&self) -> &'static str;
    /// Name in menus.
    fn name(&self) -> &'static str;
    /// One sentence with its source.
    fn doc(&self) -> &'static str;
    /// What it must be given.
    fn needs(&self) -> Needs;
    /// Its settings.
    fn fields(&self) -> Vec<Field> {
        Vec::new()
    }
    /// Whether it looks at the whole dataset: it then takes a small share of the time while the network learns.
    fn streams(&self) -> bool {
        false
    }
    /// The recipe for a checked request.
    ///
    /// # Errors
    /// Says why where the method does not apply to the layer.
    fn recipe(&self, request: &Request<'_>) -> Result<Recipe>;
    /// The method as an attribution, if it is one: others compare and test all of these.
    fn attribution(&self) -> Option<&dyn Attribution> {
        None
    }
}

/// Every method, in the order of the page.
pub const VISUALIZATIONS: &[&dyn Visualization] = &[
    &top_patches::TopPatches,
    &deconvnet::Deconvnet,
    &activation_maximization::ActivationMaximization,
    &attribution::Attributions,
    &attribution::Saliency,
    &attribution::SaliencyBox,
    &attribution::GradientXInput,
    &attribution::GuidedBackprop,
    &attribution::SmoothGrad,
    &attribution::IntegratedGradients,
    &attribution::GradCam,
    &attribution::GradCamPlusPlus,
    &attribution::GuidedGradCam,
    &attribution::Occlusion,
    &attribution::Relevance,
    &attribution::Randomization,
    &attribution::Deletion,
    &attribution::Fgsm,
    &attribution::Pgd,
    &attribution::Fooling,
    &ablation::Ablation,
    &invariance::Invariance,
    &feature_maps::FeatureMaps,
    &kernels::Kernels,
];

/// The method called `id`.
///
/// # Errors
/// When there is none.
pub fn find_visualization(id: &str) -> Result<&'static dyn Visualization> {
    let found = VISUALIZATIONS.iter().find(|method| method.id() == id);
    found.copied().ok_or_else(|| {
        Error::unknown(
            "visualization",
            id,
            VISUALIZATIONS.iter().map(|method| method.id()),
        )
    })
}

impl<'a> Request<'a> {
    /// The same request for another layer and another method's settings.
    fn with(&self, layer: usize, values: Values) -> Self {
        Request {
            network: self.network,
            normalization: self.normalization,
            layer,
            channel: self.channel,
            classes: self.classes,
            image: self.image,
            seed: self.seed,
            values,
            data: self.data,
        }
    }

    /// The layer's name.
    fn layer_id(&self) -> &str {
        &self.network.layers[self.layer].id
    }

    /// The image, which the caller has checked to be there.
    fn image(&self) -> Result<&Tensor> {
        self.image
            .ok_or_else(|| Error::mismatch("image", "an image", "none"))
    }

    /// The dataset.
    fn data(&self) -> Result<&DataLayout> {
        self.data
            .ok_or_else(|| Error::mismatch("dataset", "a dataset on the device", "none"))
    }

    /// The image as the words of an NHWC buffer.
    fn image_words(&self) -> Result<Vec<u32>> {
        let pixels = self.image()?.permuted(&[1, 2, 0])?.to_vec();
        Ok(pixels.into_iter().map(f32::to_bits).collect())
    }

    /// Adds the outside value "image", `[1, h, w, c]` in 0..1.
    fn external_image(&self, graph: &mut Graph) -> Result<ValueId> {
        let [c, h, w] = self.network.spec.input;
        graph.external("image", Spec::f32([1, h, w, c]))
    }

    /// Normalizes images in 0..1 as in training.
    fn normalize(&self, graph: &mut Graph, images: ValueId) -> Result<ValueId> {
        let (scales, shifts) = self.normalization;
        let scales = graph.constant([scales.len()], scales)?;
        let shifts = graph.constant([shifts.len()], shifts)?;
        let scaled = ops::mul(graph, images, scales)?;
        ops::add(graph, scaled, shifts)
    }
}

/// A layer's value as a feature map `[n, h, w, c]`: behind a flatten, one pixel per unit.
fn as_maps(graph: &mut Graph, value: ValueId) -> Result<ValueId> {
    match *graph.shape(value).dims() {
        [n, c] => ops::reshape(graph, value, [n, 1, 1, c]),
        _ => Ok(value),
    }
}

/// A constant `[c]` that is 1 at `channel`.
fn one_channel(graph: &mut Graph, channels: usize, channel: usize) -> Result<ValueId> {
    let mask: Vec<f32> = (0..channels)
        .map(|c| f32::from(u8::from(c == channel)))
        .collect();
    graph.constant([channels], &mask)
}

/// An NHWC output of one image as a `[c, h, w]` tensor.
fn image_from_output(output: &[f32], [c, h, w]: [usize; 3]) -> Result<Tensor> {
    Tensor::new([h, w, c], output.to_vec())?.permuted(&[2, 0, 1])
}
