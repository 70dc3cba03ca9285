//! What an operation says of itself: documentation, shape rule, gradient rule, lowering to kernels,
//! and small examples from which the tests are made.

use std::fmt;

use crate::error::{Error, Result};
use crate::program::{Kernel, Stage};
use crate::tensor::{Spec, Tensor};

use super::{Graph, ValueId};

/// A primitive operation. One file in `ops/` per implementation; one line in `ops::OPS`.
pub trait Op: fmt::Debug + Send + Sync + 'static {
    /// The stem: file name, kernel name, test name.
    fn name(&self) -> &'static str;

    /// The output's shape and type.
    ///
    /// # Errors
    /// Says which input does not fit, with expected and found shape.
    fn infer(&self, inputs: &[Spec]) -> Result<Spec>;

    /// Emits the gradient with respect to each input as new graph nodes; `None` where there is
    /// none (integer inputs, statistics treated as functions of another input).
    ///
    /// # Errors
    /// When the op has no gradient.
    fn backward(&self, _: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        Err(Error::not_differentiable(
            self.name(),
            "it is not a smooth function",
        ))
    }

    /// The kernels that compute the output. Called only with specs that `infer` accepted.
    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering;

    /// The op as an elementwise stage on its input `primary`, if it is one: its output then has that input's
    /// shape, and its other inputs are the stage's operands in order. Other kernels may carry it at
    /// their end; see [`Stage`].
    fn stage(&self, _primary: usize, _inputs: &[Spec]) -> Option<Stage> {
        None
    }

    /// Inputs that are updated in place. The op's output then *is* the first of them, afterwards.
    fn mutates(&self) -> &'static [usize] {
        &[]
    }
}

/// How an operation becomes work for a backend.
#[derive(Debug)]
pub enum Lowering {
    /// These kernel calls, in order.
    Kernels {
        /// Words of each temporary that the calls pass between them.
        scratch: Vec<usize>,
        /// The calls.
        calls: Vec<Call>,
    },
    /// The output is the sum of equal parts that lie one after another in `parts` once these calls have
    /// run. A pack adds up the parts of all its inputs together.
    Parts {
        /// As in `Kernels`.
        scratch: Vec<usize>,
        /// The calls.
        calls: Vec<Call>,
        /// Which temporary the parts are in.
        parts: usize,
        /// Their number.
        chunks: usize,
    },
    /// The op's own stage on input 0, as a kernel of its own or at the end of another.
    Map,
    /// No work: the output is input 0 from word `offset` on (reshape, view of a flat state).
    Alias {
        /// First word of the output within input 0; a multiple of `ALIGN_WORDS`.
        offset: usize,
    },
    /// No work where it can be helped: input `i` is placed at word `offsets[i]` of the output; the
    /// padding between them is zero.
    Pack {
        /// One per input; multiples of `ALIGN_WORDS`.
        offsets: Vec<usize>,
    },
}

impl Lowering {
    /// A single kernel that reads all `n_inputs` inputs in order and then writes the output.
    pub fn single(kernel: Kernel, n_inputs: usize) -> Self {
        let mut bindings: Vec<Slot> = (0..n_inputs).map(Slot::Input).collect();
        bindings.push(Slot::Output);
        Self::Kernels {
            scratch: Vec::new(),
            calls: vec![Call { kernel, bindings }],
        }
    }
}

/// One kernel execution within a lowering.
#[derive(Debug)]
pub struct Call {
    /// The kernel.
    pub kernel: Kernel,
    /// What each of its bindings is.
    pub bindings: Vec<Slot>,
}

/// What a kernel call binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The op's input.
    Input(usize),
    /// The op's output.
    Output,
    /// A temporary of the lowering.
    Scratch(usize),
}

/// How the reverse walk treats rectifiers: the rules of the literature as one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BackwardRule {
    /// The derivative: the gradient passes where the input was positive.
    #[default]
    Gradient,
    /// Zeiler & Fergus 2014, section 2.1: the *gradient's* negative part is cut, wherever the
    /// input was.
    Deconvnet,
    /// Springenberg et al. 2015, Fig. 1: both masks.
    Guided,
    /// The derivative, except that for an image of which it would let nothing through a rectifier, a descending
    /// gradient that would raise the rectifier's input passes where that input was negative (Olah et al. 2017;
    /// `redirected_relu_grad` in Lucid): an image that excites nothing yet still learns where to go. Rectifiers
    /// that leave a slope to negative inputs always let something through.
    Redirected,
}

impl BackwardRule {
    /// Whether the rectifier's derivative, 0 where its output `y` is not positive, weakens `dy`.
    pub fn weakens_by_output(self, dy: f32, y: f32) -> bool {
        match self {
            Self::Gradient | Self::Guided => y <= 0.0,
            Self::Redirected => y <= 0.0 && dy >= 0.0,
            Self::Deconvnet => false,
        }
    }

    /// Whether a negative gradient is itself rectified.
    pub fn weakens_by_gradient(self, dy: f32) -> bool {
        matches!(self, Self::Deconvnet | Self::Guided) && dy < 0.0
    }

    /// The rule for a rectifier whose derivative is nowhere 0.
    pub fn of_leaky(self) -> Self {
        match self {
            Self::Redirected => Self::Gradient,
            other => other,
        }
    }

    /// The two as a gate's shader is told of them.
    pub fn constants(self) -> Vec<(&'static str, usize)> {
        let by_output = self != Self::Deconvnet;
        let by_gradient = matches!(self, Self::Deconvnet | Self::Guided);
        vec![
            ("BY_OUTPUT", usize::from(by_output)),
            ("BY_GRADIENT", usize::from(by_gradient)),
            ("REDIRECTED", usize::from(self == Self::Redirected)),
        ]
    }
}

/// What a gradient rule sees while it emits nodes.
#[derive(Debug)]
pub struct Backward<'a> {
    /// The graph to add to.
    pub graph: &'a mut Graph,
    /// The op's inputs.
    pub inputs: &'a [ValueId],
    /// The op's output.
    pub output: ValueId,
    /// Gradient of the objective with respect to the output.
    pub dy: ValueId,
    /// The rule for rectifiers.
    pub rule: BackwardRule,
    /// Which inputs' gradients will be used; the others may be `None`.
    pub wanted: &'a [bool],
}

/// A registry entry: what tests, documentation and page need to know of an op.
#[derive(Debug)]
pub struct OpInfo {
    /// The stem.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// The WGSL files it owns, as (stem, source).
    pub shaders: &'static [(&'static str, &'static str)],
    /// Small examples, each of which becomes a gradient check and a CPU-versus-GPU check.
    pub examples: fn() -> Vec<Example>,
}

/// A tiny graph for the tests: inputs are external values `x0`, `x1` ...
#[derive(Debug, Clone)]
pub struct Example {
    /// What is special about it ("stride 2", "one pixel", "nan").
    pub name: &'static str,
    /// Float inputs; their values are used as they are.
    pub inputs: Vec<Tensor>,
    /// Unsigned inputs that follow the float ones as values.
    pub words: Vec<(Spec, Vec<u32>)>,
    /// Builds the output from the values of `inputs` followed by `words`.
    pub build: fn(&mut Graph, &[ValueId]) -> Result<ValueId>,
    /// Whether gradients with respect to all float inputs are checked by central differences.
    pub differentiable: bool,
    /// Largest CPU-versus-GPU difference, relative to 1 + |value|.
    pub tolerance: f32,
}

impl Example {
    /// An example with float inputs only that is checked in every way.
    pub fn new(
        name: &'static str,
        inputs: Vec<Tensor>,
        build: fn(&mut Graph, &[ValueId]) -> Result<ValueId>,
    ) -> Self {
        let words = Vec::new();
        Self {
            name,
            inputs,
            words,
            build,
            differentiable: true,
            tolerance: 1e-5,
        }
    }

    /// The same with unsigned inputs behind the float ones.
    #[must_use]
    pub fn with_words(mut self, words: Vec<(Spec, Vec<u32>)>) -> Self {
        self.words = words;
        self
    }

    /// The same without a gradient check.
    #[must_use]
    pub fn forward_only(mut self) -> Self {
        self.differentiable = false;
        self
    }
}
