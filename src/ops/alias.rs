//! Values that are other values' memory: reshapes, views of a flat state, and packs of many tensors
//! into one flat buffer (all gradients, so that the optimizer is one dispatch). None of them runs
//! anything, except that a pack copies an input which cannot be placed.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs, flat_layout,
};
use crate::program::{ALIGN_WORDS, aligned};
use crate::tensor::{Shape, Spec};

use super::sum_parts::SHADER as SUM_PARTS_SHADER;
use super::testing::{nan, wave};

/// Input 0 from word `offset` on, under another shape.
#[derive(Debug, Clone)]
struct View {
    offset: usize,
    shape: Shape,
}

/// Inputs side by side in one flat value, each at an aligned offset.
#[derive(Debug, Clone)]
struct Pack;

/// The same elements under another shape.
///
/// # Errors
/// When the numbers of elements differ.
pub fn reshape(graph: &mut Graph, x: ValueId, shape: impl Into<Shape>) -> Result<ValueId> {
    let shape = shape.into();
    if graph.shape(x).elements() != shape.elements() {
        let expected = format!("{} elements", shape.elements());
        return Err(Error::mismatch(
            "reshape",
            expected,
            graph.shape(x).to_string(),
        ));
    }
    graph.push(View { offset: 0, shape }, &[x])
}

/// The tensor of `shape` that begins at word `offset` of the flat value `x`.
///
/// # Errors
/// When it does not lie within `x`, or `offset` is not aligned.
pub fn view(
    graph: &mut Graph,
    x: ValueId,
    offset: usize,
    shape: impl Into<Shape>,
) -> Result<ValueId> {
    graph.push(
        View {
            offset,
            shape: shape.into(),
        },
        &[x],
    )
}

/// One flat value that holds all `parts`, laid out as [`flat_layout`] says.
///
/// # Errors
/// When there are no parts, or they are not floats.
pub fn pack(graph: &mut Graph, parts: &[ValueId]) -> Result<ValueId> {
    graph.push(Pack, parts)
}

impl Op for View {
    fn name(&self) -> &'static str {
        "view"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("view", inputs)?;
        let end = self.offset.saturating_add(self.shape.elements());
        if end > x.shape.elements() || !self.offset.is_multiple_of(ALIGN_WORDS) {
            let expected = format!("an aligned range within {x}");
            return Err(Error::mismatch(
                "view",
                expected,
                format!("{}..{end}", self.offset),
            ));
        }
        Ok(Spec {
            shape: self.shape.clone(),
            dtype: x.dtype,
        })
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let shape = b.graph.shape(b.inputs[0]).clone();
        if shape.elements() == self.shape.elements() {
            return Ok(vec![Some(reshape(b.graph, b.dy, shape)?)]);
        }
        Err(Error::not_differentiable(
            "view",
            "differentiate the view itself",
        ))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Alias {
            offset: self.offset,
        }
    }
}

impl Op for Pack {
    fn name(&self) -> &'static str {
        "pack"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        if inputs.is_empty() {
            return Err(Error::mismatch("pack", "at least one input", "none"));
        }
        let (_, words) = flat_layout(inputs.iter().map(|input| &input.shape));
        Ok(Spec::f32([words]))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let shapes: Vec<Shape> = b.inputs.iter().map(|&x| b.graph.shape(x).clone()).collect();
        let mut offset = 0;
        shapes
            .into_iter()
            .map(|shape| {
                let words = aligned(shape.elements());
                let part = view(b.graph, b.dy, offset, shape)?;
                offset += words;
                Ok(Some(part))
            })
            .collect()
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let (offsets, _) = flat_layout(inputs.iter().map(|input| &input.shape));
        Lowering::Pack { offsets }
    }
}

pub(super) const VIEW_INFO: OpInfo = OpInfo {
    name: "view",
    doc: "A range of a flat value under a shape; reshaping is the whole range.",
    shaders: &[],
    examples: || {
        let reshaped = |g: &mut Graph, x: &[ValueId]| reshape(g, x[0], [3, 2]);
        vec![
            Example::new("reshape", vec![wave([2, 3], 0.1)], reshaped),
            Example::new("range", vec![wave([130], 0.1)], |g, x| {
                view(g, x[0], 64, [2, 3])
            })
            .forward_only(),
            Example::new("one element", vec![wave([1], 0.1)], |g, x| {
                reshape(g, x[0], [1, 1])
            }),
            Example::new("not a number", vec![nan([2, 3])], reshaped).forward_only(),
        ]
    },
};

pub(super) const PACK_INFO: OpInfo = OpInfo {
    name: "pack",
    doc: "Many tensors side by side in one flat value.",
    shaders: &[("sum_parts", SUM_PARTS_SHADER)],
    examples: || {
        let packed = |g: &mut Graph, x: &[ValueId]| pack(g, x);
        let computed = |g: &mut Graph, x: &[ValueId]| {
            let first = super::add(g, x[0], x[1])?;
            let second = super::add(g, first, x[1])?;
            pack(g, &[first, x[0], second])
        };
        vec![
            Example::new("inputs", vec![wave([3], 0.1), wave([65], 0.2)], packed),
            Example::new("computed", vec![wave([3], 0.1), wave([3], 0.2)], computed),
            Example::new(
                "sums",
                vec![wave([2, 300, 65], 0.1), wave([5, 7], 0.2), wave([3], 0.3)],
                |g, x| {
                    let long = super::sum(g, x[0], [1, 600, 65], [65], 1.0)?;
                    let halves = super::affine(g, x[1], 0.5, 0.0)?;
                    let short = super::sum(g, halves, [1, 5, 7], [7], 1.0)?;
                    pack(g, &[long, x[2], short])
                },
            ),
            Example::new("one element", vec![wave([1], 0.1)], packed),
            Example::new("not a number", vec![nan([3]), nan([6])], packed).forward_only(),
        ]
    },
};
