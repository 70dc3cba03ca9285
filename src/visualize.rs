//! Ways to see what a network has learned: one file per method, one line in [`VISUALIZATIONS`].
//!
//! A method is a [`Recipe`]: a compiled program over the network's own weights (which it never
//! writes), the initial contents of the buffers that are the recipe's own, how often to run the
//! program, and how to turn its outputs into pictures. A reconstruction runs once; an optimized image
//! runs a few hundred times and shows every state on the way. What is optimized in several batches, or
//! without end, is a [`Course`] of one recipe; a comparison is a chain of recipes. [`Job`] runs any of them
//! on any backend.
//!
//! Optimized images are put together from small parts, one file each: `ascent` composes an objective, a
//! parameterization, transformations, regularizers and an optimizer.

mod ablation;
mod activation_histogram;
mod activation_maximization;
mod aim;
mod ascent;
mod attention_maps;
mod attribution;
mod caricature;
mod class_image;
mod climb;
mod connections;
mod deconvnet;
mod diagnosis;
mod directions;
mod effective_filter;
mod enlarge;
mod feature_evolution;
mod feature_maps;
mod feature_reuse;
mod gates;
mod group;
mod histograms;
mod invariance;
mod inversion;
mod job;
mod kernels;
mod mosaic;
mod objective;
mod palette;
mod parameterization;
mod picture;
mod preset;
mod prior;
mod recipe;
mod regularizer;
mod sample;
mod sight;
mod top_patches;
mod transformation;
mod unit_report;

pub use attribution::Attribution;
pub use diagnosis::{roughness, roughness_of};
pub use group::Group;
pub use job::Job;
pub use picture::{Picture, Shown};
pub use recipe::{Course, Next, Recipe, Round};

use recipe::{Buffers, Decode};

use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::graph::{Graph, ValueId};
use crate::nn::{Built, Inner, Network};
use crate::ops;
use crate::tensor::{Spec, Tensor};
use crate::train::{DataLayout, Look};

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
    /// What the images of the dataset look like on the average.
    pub look: &'a Look,
    /// Index of the layer in the network.
    pub layer: usize,
    /// Index of the channel in the layer.
    pub channel: usize,
    /// Names of the classes; one without a name is called by its index.
    pub classes: &'a [String],
    /// `[c, h, w]` values in 0..1.
    pub image: Option<&'a Tensor>,
    /// One weight for each unit of the layer, direction by direction.
    pub directions: Option<&'a [f32]>,
    /// Seed of whatever is random.
    pub seed: u64,
    /// The method's own settings.
    pub values: Values,
    /// The dataset as it lies on the device, for methods that look at all of it.
    pub data: Option<&'a DataLayout>,
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
    /// Whether it must be given directions: then it is a tool of a view, and no list offers it.
    fn takes_directions(&self) -> bool {
        false
    }
    /// Where the page lists it.
    fn group(&self) -> Group {
        match self.needs() {
            needs if needs.channel => Group::Unit,
            needs if needs.layer => Group::Layer,
            _ => Group::Answer,
        }
    }
    /// Where it belongs on the page of a unit: the choices in which it differs there from its defaults.
    fn about_unit(&self) -> Option<&'static [(&'static str, &'static str)]> {
        None
    }
    /// Its settings.
    fn fields(&self) -> Vec<Field> {
        Vec::new()
    }
    /// Its settings with the defaults for networks that take images `[c, h, w]`.
    fn fields_for(&self, _input: [usize; 3]) -> Vec<Field> {
        self.fields()
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
    /// The recipe and how it goes on: once, for most methods.
    ///
    /// # Errors
    /// As [`Visualization::recipe`].
    fn course(&self, request: &Request<'_>) -> Result<Course> {
        Ok(Course::from(self.recipe(request)?))
    }
    /// The method as an attribution, if it is one: others compare and test all of these.
    fn attribution(&self) -> Option<&dyn Attribution> {
        None
    }
}

/// Every method, in the order of the page.
pub const VISUALIZATIONS: &[&dyn Visualization] = &[
    &top_patches::TopPatches,
    &feature_evolution::FeatureEvolution,
    &deconvnet::Deconvnet,
    &activation_maximization::ActivationMaximization,
    &directions::Directions,
    &class_image::ClassImage,
    &prior::LearnedPrior,
    &inversion::Inversion,
    &caricature::Caricature,
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
    &unit_report::UnitReport,
    &histograms::Histograms,
    &activation_histogram::ActivationHistogram,
    &ablation::Ablation,
    &invariance::Invariance,
    &feature_maps::FeatureMaps,
    &kernels::Kernels,
    &connections::Connections,
    &effective_filter::EffectiveFilter,
    &gates::Gates,
    &attention_maps::AttentionMaps,
    &feature_reuse::FeatureReuse,
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
            look: self.look,
            layer,
            channel: self.channel,
            classes: self.classes,
            image: self.image,
            directions: self.directions,
            seed: self.seed,
            values,
            data: self.data,
        }
    }

    /// The layer's name.
    fn layer_id(&self) -> &str {
        &self.network.layers[self.layer].id
    }

    /// Refuses the layer, by its name, unless it `applies`.
    fn require(&self, applies: bool, place: &'static str, expected: &str) -> Result<()> {
        if applies {
            return Ok(());
        }
        Err(Error::mismatch(place, expected, self.layer_id()))
    }

    /// Refuses the image in the place of a layer.
    fn behind_input(&self, place: &'static str) -> Result<()> {
        self.require(self.layer > 0, place, "a layer behind the input")
    }

    /// What the layer shows of its inside; refused, with the layers that do show it, where it does not: `what` it is
    /// then expected to be.
    fn inner(
        &self,
        built: &Built,
        inner: Inner,
        place: &'static str,
        what: &str,
    ) -> Result<ValueId> {
        if let Some(value) = built.inner(self.layer, inner) {
            return Ok(value);
        }
        let layers = self.network.layers.iter().enumerate();
        let having = layers.filter(|(index, _)| built.inner(*index, inner).is_some());
        let having: Vec<&str> = having.map(|(_, layer)| layer.id.as_str()).collect();
        let having = match having.is_empty() {
            true => "this network has none".to_owned(),
            false => having.join(", "),
        };
        let expected = format!("{what} ({having})");
        Err(Error::mismatch(place, expected, self.layer_id()))
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

    /// The dataset's mean color in 0..1, which normalization takes to zero.
    fn mean(&self) -> Vec<f32> {
        let (scales, shifts) = self.normalization;
        let mean = |(scale, shift): (&f32, &f32)| (-shift / scale).clamp(0.0, 1.0);
        scales.iter().zip(shifts).map(mean).collect()
    }

    /// How far the dataset's logits deviate from those of the mean color: the deviation of the pixels over
    /// the sigmoid's slope there, as a mean over the channels.
    fn deviation(&self) -> f32 {
        let mean = self.mean();
        let slope = |mean: &f32| (mean * (1.0 - mean)).max(0.02);
        let logits = mean.iter().zip(self.normalization.0);
        let sum: f32 = logits
            .map(|(mean, scale)| 1.0 / (scale * slope(mean)))
            .sum();
        sum / mean.len().max(1) as f32
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

/// Refuses numbers of which one is none: then nothing that is drawn of them means anything.
fn check_finite(place: &str, what: &str, values: &[f32]) -> Result<()> {
    let Some(bad) = values.iter().find(|value| !value.is_finite()) else {
        return Ok(());
    };
    let expected = format!(
        "finite {what} (the network has diverged: reset it, or train it with a smaller learning rate)"
    );
    Err(Error::mismatch(place, expected, bad.to_string()))
}

/// A class in words: its name, or its index where it has none.
fn class_name(names: &[String], class: usize) -> String {
    match names.get(class) {
        Some(name) => format!("class {name}"),
        None => format!("class {class}"),
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
