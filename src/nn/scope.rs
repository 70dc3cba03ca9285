//! What a layer sees while it adds itself to a graph: its fields, its inputs, and the one way to get
//! parameters. The same layer code serves shape inference (a scratch graph, in which each declared
//! parameter is an outside value of its own and is written down) and building (a view of the flat
//! buffer, found by name).

use litemap::LiteMap;

use crate::error::{Error, Result};
use crate::field::Values;
use crate::graph::{Graph, ValueId};
use crate::ops;
use crate::tensor::{Shape, Spec};

use super::analysis::Window;
use super::boundary::Boundary;
use super::init::Init;

/// Whether the network learns or answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Batch norm uses the batch's statistics and updates the running ones; dropout drops.
    Train,
    /// Batch norm uses the running statistics; nothing is changed and nothing dropped.
    Eval,
}

/// A parameter or statistic as a layer declares it.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Its name within the layer, as PyTorch calls it: "weight", "`running_mean`" ...
    pub name: &'static str,
    /// Shape inside convscope (HWIO, `[in, out]`).
    pub shape: Shape,
    /// How it begins.
    pub init: Init,
    /// How it looks at every boundary.
    pub boundary: Boundary,
    /// Where it is 0 there is no connection: the element stays 0 and is not counted.
    pub mask: Option<Vec<f32>>,
    /// A running statistic rather than a trained parameter.
    pub statistic: bool,
}

impl Declaration {
    /// A trained parameter that looks the same on both sides of every boundary.
    pub fn new(name: &'static str, shape: impl Into<Shape>, init: Init) -> Self {
        Self {
            name,
            shape: shape.into(),
            init,
            boundary: Boundary::Same,
            mask: None,
            statistic: false,
        }
    }

    /// The same with another layout outside.
    #[must_use]
    pub fn outside(mut self, boundary: Boundary) -> Self {
        self.boundary = boundary;
        self
    }
}

/// Largest number of elements of one parameter, of one image's activation, and of all parameters
/// together that can be described: no product of extents overflows where `usize` has 32 bits. What can
/// be *trained* is for the adapter to say, see [`Network::check_fits`](super::Network::check_fits).
const MAX_WORDS: u64 = 1 << 30;

/// Largest number of elements of a constant that a layer makes up while it is described, and which
/// exists then: 64 MiB.
const MAX_CONSTANT_WORDS: u64 = 1 << 24;

/// Largest height or width of an activation.
pub(super) const MAX_SIDE: usize = 1024;

/// What a running statistic becomes after a step: `keep` of itself and `take` of `value`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Average {
    pub(super) statistic: ValueId,
    pub(super) value: ValueId,
    pub(super) keep: f32,
    pub(super) take: f32,
}

/// What a layer computes inside and shows to whoever looks at the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inner {
    /// `[n, c]`: what each channel of its output was multiplied by.
    Gates,
    /// `[n, heads, queries, pixels]`: how much each query takes of each pixel of its input; a row's sum is 1.
    Attention,
}

/// A layer's view of the graph it is added to.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The graph.
    pub graph: &'a mut Graph,
    /// The layer's id, for error sentences.
    pub id: &'a str,
    /// Its fields, checked.
    pub values: &'a Values,
    /// Its inputs, `[n, h, w, c]` or `[n, c]`.
    pub inputs: &'a [ValueId],
    /// Whether the network learns or answers.
    pub mode: Mode,
    /// Where the parameters are, by name; `None` on the scratch graph.
    pub(super) views: Option<&'a LiteMap<&'a str, ValueId>>,
    pub(super) declared: Vec<Declaration>,
    pub(super) averages: Vec<Average>,
    pub(super) scores: Option<ValueId>,
    /// What the loss of the output, as scores of a classifier at the side, is multiplied by.
    pub(super) auxiliary: Option<f32>,
    pub(super) inner: Vec<(Inner, ValueId)>,
    pub(super) kernel: Option<usize>,
    pub(super) macs: u64,
    pub(super) window: Option<Window>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        graph: &'a mut Graph,
        id: &'a str,
        values: &'a Values,
        inputs: &'a [ValueId],
        mode: Mode,
        views: Option<&'a LiteMap<&'a str, ValueId>>,
    ) -> Self {
        Self {
            graph,
            id,
            values,
            inputs,
            mode,
            views,
            declared: Vec::new(),
            averages: Vec::new(),
            scores: None,
            auxiliary: None,
            inner: Vec::new(),
            kernel: None,
            macs: 0,
            window: None,
        }
    }

    /// The only input.
    ///
    /// # Errors
    /// When there is not exactly one.
    pub fn input(&self) -> Result<ValueId> {
        match self.inputs {
            [input] => Ok(*input),
            _ => Err(self.wrong("one input", self.inputs.len().to_string())),
        }
    }

    /// The only input and its extents `[n, h, w, c]`.
    ///
    /// # Errors
    /// When it is not one batch of images.
    pub fn image(&self) -> Result<(ValueId, [usize; 4])> {
        let input = self.input()?;
        match *self.graph.shape(input).dims() {
            [n, h, w, c] => Ok((input, [n, h, w, c])),
            _ => Err(self.wrong("feature maps", "a vector (it was flattened before)")),
        }
    }

    /// The only input and its extents `[n, c]`.
    ///
    /// # Errors
    /// When it is not one batch of vectors.
    pub fn vector(&self) -> Result<(ValueId, [usize; 2])> {
        let input = self.input()?;
        match *self.graph.shape(input).dims() {
            [n, c] => Ok((input, [n, c])),
            ref dims => Err(self.wrong(
                "a vector (put a flatten before it)",
                format!("feature maps {:?}", &dims[1..]),
            )),
        }
    }

    /// A parameter or statistic of this layer, in the order of the calls.
    ///
    /// # Errors
    /// When it is larger than any buffer.
    pub fn declare(&mut self, declaration: Declaration) -> Result<ValueId> {
        let place = format!("{}.{}", self.id, declaration.name);
        check_size(&place, declaration.shape.dims())?;
        let value = match self.views {
            Some(views) => *views.get(place.as_str()).ok_or_else(|| {
                let known = views.keys().copied();
                Error::unknown("parameter", place.as_str(), known)
            })?,
            None => {
                let spec = Spec::f32(declaration.shape.clone());
                self.graph.external(&place, spec)?
            }
        };
        let mask = declaration.mask.clone();
        let shape = declaration.shape.clone();
        self.declared.push(declaration);
        match mask {
            Some(mask) => {
                let mask = self.graph.constant(shape, &mask)?;
                ops::mul(self.graph, value, mask)
            }
            None => Ok(value),
        }
    }

    /// The step counters, from which whatever varies per step is derived: the outside buffer "counters" that
    /// every training program has.
    ///
    /// # Errors
    /// When the graph has another buffer of that name.
    pub fn counters(&mut self) -> Result<ValueId> {
        self.graph.external("counters", Spec::u32([4]))
    }

    /// A number for this layer's randomness, from its id (FNV-1a), so that adding another layer does
    /// not change what this one draws.
    pub fn stream(&self) -> u32 {
        let fold = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        self.id.bytes().fold(0x811c_9dc5, fold)
    }

    /// Says that the parameter declared last is this layer's kernel, HWIO or `[in, out]`, whose filters make the
    /// layer's channels, in order and perhaps several times over.
    pub fn is_kernel(&mut self) {
        self.kernel = self.declared.len().checked_sub(1);
    }

    /// Counts multiply-adds per image.
    pub fn count_macs(&mut self, macs: u64) {
        self.macs += macs;
    }

    /// Says that each output sees a window of the input: extents and steps in input pixels, and
    /// rows and columns of padding before the first one.
    pub fn sees(&mut self, size: [usize; 2], stride: [usize; 2], padding: [usize; 2]) {
        self.window = Some(Window {
            size,
            stride,
            padding,
        });
    }

    /// Shows a value that the layer computes inside.
    pub fn shows(&mut self, inner: Inner, value: ValueId) {
        self.inner.push((inner, value));
    }

    /// Says that the class scores are `scores` rather than the layer's output.
    pub fn scores(&mut self, scores: ValueId) {
        self.scores = Some(scores);
    }

    /// Moves a declared `statistic` toward `factor * value` by the fraction `momentum` (PyTorch's meaning of
    /// the word) after each training step; `factor` is `n / (n - 1)` where PyTorch keeps the
    /// unbiased variance.
    pub fn averages(&mut self, statistic: ValueId, value: ValueId, momentum: f32, factor: f32) {
        self.averages.push(Average {
            statistic,
            value,
            keep: 1.0 - momentum,
            take: momentum * factor,
        });
    }

    /// An error at this layer.
    pub fn wrong(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::mismatch(self.id, expected, found)
    }
}

/// Refuses extents whose product cannot be described, without overflow on 32-bit targets.
pub(super) fn check_size(place: &str, dims: &[usize]) -> Result<u64> {
    check_below(place, dims, MAX_WORDS)
}

/// Refuses a constant that is too large to be made just to describe a network.
pub(super) fn check_constant(place: &str, dims: &[usize]) -> Result<u64> {
    check_below(place, dims, MAX_CONSTANT_WORDS)
}

fn check_below(place: &str, dims: &[usize], limit: u64) -> Result<u64> {
    let words = dims
        .iter()
        .try_fold(1u64, |words, &dim| words.checked_mul(dim as u64));
    match words {
        Some(words) if words <= limit => Ok(words),
        _ => Err(Error::memory(
            place.to_owned(),
            words.unwrap_or(u64::MAX).saturating_mul(4),
            limit * 4,
        )),
    }
}
