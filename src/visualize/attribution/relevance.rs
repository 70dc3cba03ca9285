//! Layer-wise relevance propagation (Bach et al. 2015; Montavon et al. 2019): the class score is handed down
//! from layer to layer, each value giving what it has to the values it was made of, in proportion to what
//! they contributed, so that the pixels' relevances add up to the score.
//!
//! It is a walk over the graph's nodes. A linear node and the sums and scales per channel behind it (bias,
//! batch norm) are one step, which merges batch norm into the convolution; rectifiers and squashing
//! functions hand on what they have; max pooling gives all to its winner. Anything else (attention, gates,
//! local response normalization, softmax) has no such rule and is refused.

use litemap::LiteMap;

use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::{Backward, BackwardRule, Graph, Origin, ValueId};
use crate::ops;

use super::maps::Kind;
use super::{Attribution, Map, Scene};

/// The method.
#[derive(Debug)]
pub(in super::super) struct Relevance;

/// The rule for convolutions and dense layers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    /// Contributions as they are, divided by their sum moved away from zero by epsilon.
    Epsilon(f32),
    /// Positive contributions get `1 + beta`, negative ones `-beta`; biases get nothing. `beta` = 0 is z+.
    AlphaBeta { beta: f32 },
}

/// Nodes that hand relevance on as it is.
const ELEMENTWISE: [&str; 10] = [
    "relu",
    "leaky_relu",
    "relu6",
    "tanh",
    "sigmoid",
    "elu",
    "gelu",
    "silu",
    "hard_swish",
    "prelu",
];
/// Nodes that only move values: their gradient moves relevance back.
const MOVING: [&str; 7] = [
    "view",
    "transpose",
    "pool_take",
    "concat_channels",
    "slice_channels",
    "pad_channels",
    "roll2d",
];
/// Linear maps with weights.
const WEIGHTED: [&str; 2] = ["conv2d", "matmul"];
/// Linear maps that mix values without weights.
const MIXING: [&str; 2] = ["avg_pool2d", "sum"];
/// Scales and shifts of each value, if their other inputs are constants of the network.
const SCALING: [&str; 4] = ["add", "mul", "affine", "batch_norm"];

/// Keeps a sum of contributions from zero where the rule has no epsilon.
const TINY: f32 = 1e-9;

impl Attribution for Relevance {
    fn id(&self) -> &'static str {
        "relevance-propagation"
    }

    fn name(&self) -> &'static str {
        "Layer-wise relevance propagation"
    }

    fn doc(&self) -> &'static str {
        "The class score handed down layer by layer to the pixels, in proportion to what each contributed \
         (Bach et al. 2015)."
    }

    fn fields(&self) -> Vec<Field> {
        let rule = "How convolutions and dense layers share out: epsilon, z+ (positive contributions only) \
                    or alpha-beta (alpha = 1 + beta).";
        let epsilon =
            "Of the epsilon rule: what small sums are kept from zero by; more absorbs noise.";
        let beta = "Of the alpha-beta rule: weight of negative contributions.";
        vec![
            Field::choice("rule", rule, &["epsilon", "z+", "alpha-beta"], "epsilon"),
            Field::number("epsilon", epsilon, 1e-9, 10.0, 0.01),
            Field::number("beta", beta, 0.0, 4.0, 1.0),
        ]
    }

    fn map(&self, scene: &mut Scene<'_>) -> Result<Map> {
        let values = &scene.request.values;
        let rule = match values.choice("rule")?.as_str() {
            "z+" => Rule::AlphaBeta { beta: 0.0 },
            "alpha-beta" => Rule::AlphaBeta {
                beta: values.number("beta")? as f32,
            },
            _ => Rule::Epsilon(values.number("epsilon")? as f32),
        };
        let (top, image) = (scene.built.logits, scene.x);
        let all = ops::mul(&mut scene.graph, top, scene.class)?;
        let map = Walk::new(&mut scene.graph, image, rule).run(top, all)?;
        Ok(Map::new(map, Kind::Signed))
    }
}

/// The walk from the scores to the image.
struct Walk<'g> {
    graph: &'g mut Graph,
    image: ValueId,
    rule: Rule,
    /// Which values depend on the image, and how many nodes of the network take each.
    needed: Vec<bool>,
    uses: Vec<usize>,
    relevances: LiteMap<ValueId, ValueId>,
}

impl<'g> Walk<'g> {
    fn new(graph: &'g mut Graph, image: ValueId, rule: Rule) -> Self {
        let mut needed = vec![false; graph.values().len()];
        needed[image.0] = true;
        Self {
            graph,
            image,
            rule,
            uses: vec![0; needed.len()],
            needed,
            relevances: LiteMap::new(),
        }
    }

    /// Hands the relevance `all` of `top` down; returns the image's.
    fn run(mut self, top: ValueId, all: ValueId) -> Result<ValueId> {
        for index in self.image.0 + 1..=top.0 {
            if let Origin::Node { inputs, .. } = &self.graph.values()[index].origin {
                self.needed[index] = inputs.iter().any(|input| self.needed[input.0]);
                inputs.iter().for_each(|input| self.uses[input.0] += 1);
            }
        }
        self.relevances.insert(top, all);
        for id in (self.image.0 + 1..=top.0).rev().map(ValueId) {
            if let Some(relevance) = self.relevances.remove(&id) {
                self.step(id, relevance)?;
            }
        }
        self.relevances.remove(&self.image).ok_or_else(|| {
            let expected = "class scores that depend on the image";
            Error::mismatch("relevance", expected, "scores that do not")
        })
    }

    fn node(&self, id: ValueId) -> (&'static str, Vec<ValueId>) {
        match &self.graph.value(id).origin {
            Origin::Node { op, inputs } => (op.name(), inputs.clone()),
            _ => ("input", Vec::new()),
        }
    }

    /// Whether `id` scales and shifts the one input it has from the image.
    fn scaled(&self, id: ValueId) -> Option<ValueId> {
        let (name, inputs) = self.node(id);
        let first = *inputs.first()?;
        let rest = inputs[1..].iter().all(|input| !self.needed[input.0]);
        (SCALING.contains(&name) && self.needed[first.0] && rest).then_some(first)
    }

    fn step(&mut self, id: ValueId, relevance: ValueId) -> Result<()> {
        let (name, inputs) = self.node(id);
        if ELEMENTWISE.contains(&name) {
            return self.give(inputs[0], relevance);
        }
        if MOVING.contains(&name) {
            let parts = self.back(id, relevance)?;
            return self.give_all(&inputs, &parts);
        }
        // Down through scales and shifts to what they scale.
        let mut scales = Vec::new();
        let mut base = id;
        while let Some(below) = self.scaled(base) {
            scales.push(base);
            base = below;
            if self.uses[base.0] > 1 {
                break;
            }
        }
        let (below, operands) = self.node(base);
        let whole = scales.is_empty() || self.uses[base.0] == 1;
        if WEIGHTED.contains(&below) && whole && !self.needed[operands[1].0] {
            return match self.rule {
                Rule::Epsilon(eps) => self.in_proportion(id, &scales, Some(base), relevance, eps),
                Rule::AlphaBeta { beta } => self.by_sign(base, &scales, relevance, beta),
            };
        }
        let eps = match self.rule {
            Rule::Epsilon(eps) => eps,
            Rule::AlphaBeta { .. } => TINY,
        };
        if MIXING.contains(&below) && whole {
            return self.in_proportion(id, &scales, Some(base), relevance, eps);
        }
        if !scales.is_empty() {
            return self.in_proportion(id, &scales, None, relevance, eps);
        }
        // A sum of several values of the image: a residual connection.
        if name == "add" && self.graph.shape(inputs[0]) == self.graph.shape(inputs[1]) {
            return self.in_proportion(id, &[], Some(id), relevance, eps);
        }
        let expected = "layers that relevance can be handed through (convolution, dense, batch norm, \
                        pooling, sums and activations)";
        Err(Error::mismatch("relevance", expected, name))
    }

    /// The epsilon rule (Bach et al. 2015, equation 58) through `scales`, from the top down, and `last`, whose
    /// result is `id`: `R_i = x_i sum_j w_ij R_j / (z_j + eps sign z_j)`.
    fn in_proportion(
        &mut self,
        id: ValueId,
        scales: &[ValueId],
        last: Option<ValueId>,
        relevance: ValueId,
        eps: f32,
    ) -> Result<()> {
        let mut share = ops::ratio(self.graph, relevance, id, eps)?;
        for &scale in scales {
            share = self.back_to_first(scale, share)?;
        }
        let (inputs, parts) = match (last, scales.last()) {
            (Some(last), _) => (self.node(last).1, self.back(last, share)?),
            (None, Some(&scale)) => (self.node(scale).1, vec![Some(share)]),
            (None, None) => (Vec::new(), Vec::new()),
        };
        for (&input, part) in inputs.iter().zip(parts) {
            if let Some(part) = part.filter(|_| self.needed[input.0]) {
                let relevance = ops::mul(self.graph, part, input)?;
                self.give(input, relevance)?;
            }
        }
        Ok(())
    }

    /// The alpha-beta rule (Bach et al. 2015, equation 60) for the weighted node `base`, its weights multiplied
    /// by the scales behind it.
    fn by_sign(
        &mut self,
        base: ValueId,
        scales: &[ValueId],
        relevance: ValueId,
        beta: f32,
    ) -> Result<()> {
        let (_, operands) = self.node(base);
        let (x, mut w) = (operands[0], operands[1]);
        if let Some(scale) = self.scale_of(base, scales)? {
            w = ops::mul(self.graph, w, scale)?;
        }
        let [x_parts, w_parts] = [self.signs(x)?, self.signs(w)?];
        let mut total = None;
        // Pairs of equal signs contribute positively, the others negatively.
        for (opposite, factor) in [(0, 1.0 + beta), (1, -beta)] {
            if factor == 0.0 {
                continue;
            }
            let pairs = [0, 1].map(|sign| (x_parts[sign], w_parts[sign ^ opposite]));
            let mut made = Vec::new();
            for (x, w) in pairs {
                made.push(self.graph.again(base, &[x, w])?);
            }
            let sum = ops::add(self.graph, made[0], made[1])?;
            let share = ops::ratio(self.graph, relevance, sum, TINY)?;
            let share = ops::affine(self.graph, share, factor, 0.0)?;
            for (node, (x, _)) in made.into_iter().zip(pairs) {
                let part = self.back_to_first(node, share)?;
                let part = ops::mul(self.graph, part, x)?;
                total = Some(match total {
                    Some(before) => ops::add(self.graph, before, part)?,
                    None => part,
                });
            }
        }
        total.map_or(Ok(()), |total| self.give(x, total))
    }

    /// The positive and the negative part of `x`.
    fn signs(&mut self, x: ValueId) -> Result<[ValueId; 2]> {
        let g = &mut *self.graph;
        let positive = ops::relu(g, x)?;
        let negated = ops::affine(g, x, -1.0, 0.0)?;
        let negative = ops::relu(g, negated)?;
        Ok([positive, ops::affine(g, negative, -1.0, 0.0)?])
    }

    /// What `scales`, from the top down, together multiply each channel of `base` by, `[c]`: their gradient.
    fn scale_of(&mut self, base: ValueId, scales: &[ValueId]) -> Result<Option<ValueId>> {
        let Some(&top) = scales.first() else {
            return Ok(None);
        };
        let shape = self.graph.shape(top).clone();
        let (n, c) = (shape.elements(), shape.last());
        let mut slope = self.graph.constant(shape, &vec![1.0; n])?;
        for &scale in scales {
            slope = self.back_to_first(scale, slope)?;
        }
        debug_assert_eq!(self.graph.shape(base).elements(), n, "scales keep shapes");
        let rows = n / c.max(1);
        ops::sum(self.graph, slope, [1, rows, c], [c], 1.0 / rows as f32).map(Some)
    }

    /// The gradient rule of node `id`, applied to `dy`.
    fn back(&mut self, id: ValueId, dy: ValueId) -> Result<Vec<Option<ValueId>>> {
        let Origin::Node { op, inputs } = self.graph.value(id).origin.clone() else {
            return Ok(Vec::new());
        };
        let is_needed = |input: &ValueId| self.needed.get(input.0).copied().unwrap_or(true);
        let wanted: Vec<bool> = inputs.iter().map(is_needed).collect();
        op.backward(&mut Backward {
            graph: self.graph,
            inputs: &inputs,
            output: id,
            dy,
            rule: BackwardRule::Gradient,
            wanted: &wanted,
        })
    }

    fn back_to_first(&mut self, id: ValueId, dy: ValueId) -> Result<ValueId> {
        let parts = self.back(id, dy)?;
        parts.first().copied().flatten().ok_or_else(|| {
            let (name, _) = self.node(id);
            Error::mismatch("relevance", "a node with a gradient", name)
        })
    }

    fn give_all(&mut self, inputs: &[ValueId], parts: &[Option<ValueId>]) -> Result<()> {
        for (&input, part) in inputs.iter().zip(parts) {
            if let Some(part) = part {
                self.give(input, *part)?;
            }
        }
        Ok(())
    }

    /// Adds to what `to` has, if it depends on the image.
    fn give(&mut self, to: ValueId, relevance: ValueId) -> Result<()> {
        if !self.needed[to.0] {
            return Ok(());
        }
        let sum = match self.relevances.get(&to) {
            Some(&before) => ops::add(self.graph, before, relevance)?,
            None => relevance,
        };
        self.relevances.insert(to, sum);
        Ok(())
    }
}
