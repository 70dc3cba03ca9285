//! The plain objects that cross between page and core. Their TypeScript twins in `www/src/gen` are
//! generated from here by the tests. Numbers in bulk never pass through serde: pictures, tensors and
//! images cross as typed arrays, see `bindings`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the core runs on.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// "webgpu" or "cpu".
    pub backend: String,
    /// The adapter's own name.
    pub adapter: String,
    /// Whether there is no real GPU behind it.
    pub software: bool,
    /// convscope's version.
    pub version: String,
    /// Why this backend was chosen, when the user did not choose it.
    pub note: Option<String>,
}

/// A dataset.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
pub struct DatasetInfo {
    /// Its name.
    pub name: String,
    /// Where it comes from, in a sentence.
    pub doc: String,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// `[c, h, w]`.
    pub shape: [usize; 3],
    /// Images to learn from.
    pub train: usize,
    /// Images held out.
    pub test: usize,
}

/// A layer of the current network.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, rename = "Layer"))]
#[serde(rename_all = "camelCase")]
pub struct LayerMessage {
    /// Its name in the network.
    pub id: String,
    /// What kind of layer it is.
    pub kind: String,
    /// One sentence.
    pub doc: String,
    /// The layers it reads.
    pub inputs: Vec<String>,
    /// Its output, `[c, h, w]`.
    pub shape: [usize; 3],
    /// Trainable parameters.
    pub params: usize,
    /// Multiply-adds per image.
    pub macs: f64,
    /// Side of the input square that one of its units sees, in pixels.
    pub receptive_field: usize,
    /// How far that square moves from one unit to the next, in pixels.
    pub receptive_stride: usize,
    /// Row and column of the pixel in the middle of what its first unit sees.
    pub receptive_center: [f64; 2],
    /// Bytes of its output for one image.
    pub activation_bytes: f64,
    /// Shape of its kernels, `[o, i, h, w]`, if it has any.
    pub kernel: Option<[usize; 4]>,
}

/// The current network.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
pub struct NetworkInfo {
    /// Its name.
    pub name: String,
    /// Its layers, the input first.
    pub layers: Vec<LayerMessage>,
    /// Trainable parameters.
    pub params: usize,
    /// Multiply-adds per image.
    pub macs: f64,
}

/// A choice from a registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Key of the entry.
    pub id: String,
    /// Its settings; missing ones take their defaults.
    #[serde(default)]
    pub options: Map<String, Value>,
}

/// How to train, as scripts and the page say it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainOptions {
    /// Passes over the training split.
    pub epochs: Option<f64>,
    /// Steps; the smaller of both counts where both are given, and forever where none is.
    pub steps: Option<u32>,
    /// Images per step.
    pub batch_size: Option<usize>,
    /// `{ id, ...settings }`.
    pub optimizer: Option<Map<String, Value>>,
    /// `{ id, ...settings }`.
    pub schedule: Option<Map<String, Value>>,
    /// `{ id, ...settings }`.
    pub loss: Option<Map<String, Value>>,
    /// `{ id, ...settings }`, each at most once.
    pub augmentations: Option<Vec<Map<String, Value>>>,
    /// Largest norm of all gradients together; none where it is 0.
    pub clip_norm: Option<f32>,
    /// Largest size of a gradient; none where it is 0.
    pub clip_value: Option<f32>,
    /// Share of the weights' running average that survives each step; 0 keeps no average.
    pub averaging: Option<f32>,
    /// Draws the weights anew from this seed first.
    pub seed: Option<u32>,
}

/// What to evaluate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluateOptions {
    /// "train" or "test" (the default).
    pub split: Option<String>,
    /// With the running average of the weights in their place.
    #[serde(default)]
    pub averaged: bool,
}

/// What to show of augmentations.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentOptions {
    /// `{ id, ...settings }`, each at most once.
    #[serde(default)]
    pub augmentations: Vec<Map<String, Value>>,
    /// How many versions, 8 by default.
    pub count: Option<usize>,
    /// Seed of the draws.
    #[serde(default)]
    pub seed: u32,
}

/// What to visualize; the image and the directions travel beside it.
#[derive(Debug, Clone, Deserialize)]
pub struct VisualizeOptions {
    /// Key of the method.
    pub method: String,
    /// The layer's name.
    pub layer: Option<String>,
    /// The channel's index.
    pub channel: Option<usize>,
    /// Seed of whatever is random.
    #[serde(default)]
    pub seed: u32,
    /// The method's own settings.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// One training step, or the last one of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct StepEvent {
    /// Steps done, this one included.
    pub step: u32,
    /// Passes over the training split, whole and fractional.
    pub epoch: f64,
    /// Mean loss of its batch; a cross-entropy is in nats.
    pub loss: f64,
    /// Share of its batch that was classified correctly.
    pub accuracy: f64,
    /// The learning rate of its update.
    pub learning_rate: f64,
    /// Training speed of late.
    pub images_per_second: f64,
}

/// What an evaluation found.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
pub struct Evaluation {
    /// Mean cross-entropy, in nats, whatever loss was trained.
    pub loss: f64,
    /// Share classified correctly.
    pub accuracy: f64,
    /// `confusion[label][prediction]`: how many images.
    pub confusion: Vec<Vec<u32>>,
}

/// What was asked of the backend since the last call.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Kernel executions.
    pub dispatches: f64,
    /// Queue submissions.
    pub submits: f64,
    /// Buffers created.
    pub buffers_created: f64,
    /// Bind groups created.
    pub bind_groups_created: f64,
    /// Bytes uploaded.
    pub bytes_written: f64,
    /// Read-backs started.
    pub readbacks: f64,
    /// Bytes in live buffers now.
    pub gpu_bytes: f64,
}

/// One live picture in a view.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
pub struct Tile {
    /// The layer's name.
    pub layer: String,
    /// What of it.
    pub kind: TileKind,
    /// Channel, or output channel of the kernel.
    pub unit: usize,
    /// Input channel of the kernel.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<usize>"))]
    pub input: usize,
    /// Left edge in canvas pixels.
    pub x: f32,
    /// Top edge in canvas pixels.
    pub y: f32,
    /// Pixels across.
    pub width: f32,
    /// Pixels down.
    pub height: f32,
    /// Which tiles its colors can be compared with.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<Scale>"))]
    pub scale: Scale,
}

impl TileKind {
    /// Whether it takes a backward pass.
    pub fn is_gradient(self) -> bool {
        matches!(self, Self::ActivationGradient | Self::KernelGradient)
    }

    /// Whether it is of a layer's kernels.
    pub fn is_kernel(self) -> bool {
        matches!(self, Self::Kernel | Self::KernelGradient)
    }
}

/// Over which values a [`Tile`]'s color scale goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Those of its channel.
    Unit,
    /// Those of its layer.
    #[default]
    Layer,
    /// Those of all layers behind the input; of its layer, for kernels.
    Global,
}

/// What a [`Tile`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum TileKind {
    /// A channel's activations for the probe image.
    Activation,
    /// How the loss changes with these; the input's are by all colors together.
    ActivationGradient,
    /// A kernel's weights.
    Kernel,
    /// How the loss changes with these.
    KernelGradient,
}
