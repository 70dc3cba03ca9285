//! Values side by side along the last axis: concatenation (inception and dense blocks), slices, and
//! zeros on either side (the parameter-free shortcut of He et al. 2016). Each is the others' gradient.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_dtype,
    expect_inputs,
};
use crate::program::{Access, Args, Kernel};
use crate::tensor::{DType, Shape, Spec};

use super::testing::{nan, wave};

/// Inputs side by side along the last axis.
#[derive(Debug, Clone, Copy)]
struct Concat;

/// Some channels of the input.
#[derive(Debug, Clone, Copy)]
struct Slice {
    start: usize,
    len: usize,
}

/// The input between channels of zeros.
#[derive(Debug, Clone, Copy)]
struct Pad {
    before: usize,
    after: usize,
}

/// Puts `parts` `[.., c_i]`, equal in all but the last axis, side by side: `[.., sum of c_i]`.
///
/// # Errors
/// When there are no parts, or they differ in another axis.
pub fn concat_channels(graph: &mut Graph, parts: &[ValueId]) -> Result<ValueId> {
    graph.push(Concat, parts)
}

/// Channels `start..start + len` of `x` `[.., c]`.
///
/// # Errors
/// When `x` has fewer channels, or `len` is 0.
pub fn slice_channels(graph: &mut Graph, x: ValueId, start: usize, len: usize) -> Result<ValueId> {
    graph.push(Slice { start, len }, &[x])
}

/// `x` `[.., c]` with `before` and `after` channels of zeros around it.
///
/// # Errors
/// When `x` is not of floats.
pub fn pad_channels(graph: &mut Graph, x: ValueId, before: usize, after: usize) -> Result<ValueId> {
    graph.push(Pad { before, after }, &[x])
}

/// `shape` with another last extent.
fn with_last(shape: &Shape, last: usize) -> Shape {
    let mut dims = shape.dims().to_vec();
    match dims.last_mut() {
        Some(extent) => *extent = last,
        None => dims.push(last),
    }
    Shape::new(dims)
}

/// A value `[pixels, channels]` that stands from channel `first` on in one of `all` channels.
#[derive(Debug, Clone, Copy)]
struct Lane {
    pixels: usize,
    channels: usize,
    first: usize,
    all: usize,
}

impl Lane {
    fn new(narrow: &Shape, first: usize, wide: &Shape) -> Self {
        let (channels, all) = (narrow.last(), wide.last());
        let pixels = wide.elements() / all.max(1);
        Self {
            pixels,
            channels,
            first,
            all,
        }
    }

    fn constants(&self) -> [(&'static str, usize); 4] {
        [
            ("PIXELS", self.pixels),
            ("CHANNELS", self.channels),
            ("FIRST", self.first),
            ("ALL_CHANNELS", self.all),
        ]
    }

    /// Copies the narrow value into its channels of the wide one.
    fn insert(&self, narrow: &[f32], wide: &mut [f32]) {
        let rows = wide.chunks_exact_mut(self.all);
        for (wide, narrow) in rows.zip(narrow.chunks_exact(self.channels)) {
            wide[self.first..self.first + self.channels].copy_from_slice(narrow);
        }
    }

    /// Copies its channels of the wide value to the narrow one.
    fn extract(&self, wide: &[f32], narrow: &mut [f32]) {
        let rows = wide.chunks_exact(self.all);
        for (wide, narrow) in rows.zip(narrow.chunks_exact_mut(self.channels)) {
            narrow.copy_from_slice(&wide[self.first..self.first + self.channels]);
        }
    }
}

impl Op for Concat {
    fn name(&self) -> &'static str {
        "concat_channels"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let place = "concat_channels";
        let Some(first) = inputs.first() else {
            return Err(Error::mismatch(place, "at least one part", "none"));
        };
        let mut channels = 0;
        for part in inputs {
            let shape = expect_dtype(place, part, DType::F32)?;
            if with_last(&first.shape, shape.last()) != *shape || shape.elements() == 0 {
                let expected = format!("parts like {first} in all but the last axis");
                return Err(Error::mismatch(place, expected, part.to_string()));
            }
            channels += shape.last();
        }
        Ok(Spec::f32(with_last(&first.shape, channels)))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let mut start = 0;
        let mut parts = Vec::new();
        for (&input, &wanted) in b.inputs.iter().zip(b.wanted) {
            let len = b.graph.shape(input).last();
            parts.push(match wanted {
                true => Some(slice_channels(b.graph, b.dy, start, len)?),
                false => None,
            });
            start += len;
        }
        Ok(parts)
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let mut first = 0;
        let mut calls = Vec::new();
        for (index, part) in inputs.iter().enumerate() {
            let lane = Lane::new(&part.shape, first, &output.shape);
            first += lane.channels;
            let twin = move |args: &mut Args<'_>| lane.insert(args.read(0), args.write(0));
            let threads = part.shape.elements();
            let constants = lane.constants();
            let name = "concat_channels";
            let mut kernel = Kernel::linear(name, CONCAT_SHADER, &constants, 1, threads, twin);
            // Each call leaves the other parts' channels as they are.
            kernel.accesses[1] = Access::ReadWrite;
            let bindings = vec![Slot::Input(index), Slot::Output];
            calls.push(Call { kernel, bindings });
        }
        Lowering::Kernels {
            scratch: Vec::new(),
            calls,
        }
    }
}

impl Op for Slice {
    fn name(&self) -> &'static str {
        "slice_channels"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("slice_channels", inputs)?;
        let shape = expect_dtype("slice_channels", x, DType::F32)?;
        let end = self.start.saturating_add(self.len);
        if self.len == 0 || end > shape.last() || shape.elements() == 0 {
            let expected = format!("channels {}..{end}", self.start);
            return Err(Error::mismatch("slice_channels", expected, x.to_string()));
        }
        Ok(Spec::f32(with_last(shape, self.len)))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let after = b.graph.shape(b.inputs[0]).last() - self.start - self.len;
        Ok(vec![Some(pad_channels(b.graph, b.dy, self.start, after)?)])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let lane = Lane::new(&output.shape, self.start, &inputs[0].shape);
        let twin = move |args: &mut Args<'_>| lane.extract(args.read(0), args.write(0));
        let threads = output.shape.elements();
        let constants = lane.constants();
        let kernel = Kernel::linear(self.name(), SLICE_SHADER, &constants, 1, threads, twin);
        Lowering::single(kernel, 1)
    }
}

impl Op for Pad {
    fn name(&self) -> &'static str {
        "pad_channels"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("pad_channels", inputs)?;
        let shape = expect_dtype("pad_channels", x, DType::F32)?;
        if shape.elements() == 0 {
            return Err(Error::mismatch("pad_channels", "channels", x.to_string()));
        }
        Ok(Spec::f32(with_last(
            shape,
            self.before + shape.last() + self.after,
        )))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let len = b.graph.shape(b.inputs[0]).last();
        Ok(vec![Some(slice_channels(b.graph, b.dy, self.before, len)?)])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let lane = Lane::new(&inputs[0].shape, self.before, &output.shape);
        let twin = move |args: &mut Args<'_>| {
            let x = args.read(0);
            let y = args.write(0);
            y.fill(0.0);
            lane.insert(x, y);
        };
        let threads = output.shape.elements();
        let constants = lane.constants();
        let kernel = Kernel::linear(self.name(), PAD_SHADER, &constants, 1, threads, twin);
        Lowering::single(kernel, 1)
    }
}

const CONCAT_SHADER: &str = crate::wgsl!("../../shaders/concat_channels.wgsl");
const SLICE_SHADER: &str = crate::wgsl!("../../shaders/slice_channels.wgsl");
const PAD_SHADER: &str = crate::wgsl!("../../shaders/pad_channels.wgsl");

pub(super) const CONCAT_INFO: OpInfo = OpInfo {
    name: "concat_channels",
    doc: "Values side by side along the channels.",
    shaders: &[("concat_channels", CONCAT_SHADER)],
    examples: || {
        let joined = |g: &mut Graph, x: &[ValueId]| concat_channels(g, x);
        let images = |c: usize, phase: f32| wave([2, 2, 3, c], phase);
        vec![
            Example::new(
                "three",
                vec![images(2, 0.1), images(1, 0.4), images(5, 0.7)],
                joined,
            ),
            Example::new("twice the same", vec![images(2, 0.1)], |g, x| {
                concat_channels(g, &[x[0], x[0]])
            }),
            Example::new("one part", vec![wave([1, 1], 0.1)], joined),
            Example::new("not a number", vec![nan([3, 2]), nan([3, 1])], joined).forward_only(),
        ]
    },
};

pub(super) const SLICE_INFO: OpInfo = OpInfo {
    name: "slice_channels",
    doc: "Some of the channels.",
    shaders: &[("slice_channels", SLICE_SHADER)],
    examples: || {
        let middle = |g: &mut Graph, x: &[ValueId]| slice_channels(g, x[0], 1, 2);
        vec![
            Example::new("middle", vec![wave([2, 2, 2, 5], 0.1)], middle),
            Example::new("one element", vec![wave([1], 0.1)], |g, x| {
                slice_channels(g, x[0], 0, 1)
            }),
            Example::new("not a number", vec![nan([3, 4])], middle).forward_only(),
        ]
    },
};

pub(super) const PAD_INFO: OpInfo = OpInfo {
    name: "pad_channels",
    doc: "Channels of zeros before and after.",
    shaders: &[("pad_channels", PAD_SHADER)],
    examples: || {
        let padded = |g: &mut Graph, x: &[ValueId]| pad_channels(g, x[0], 1, 2);
        vec![
            Example::new("both sides", vec![wave([2, 2, 2, 3], 0.1)], padded),
            Example::new("one element", vec![wave([1], 0.1)], |g, x| {
                pad_channels(g, x[0], 0, 0)
            }),
            Example::new("not a number", vec![nan([3, 2])], padded).forward_only(),
        ]
    },
};
