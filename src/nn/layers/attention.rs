//! Attention over the pixels of maps as tokens, the channels of each as its features: multi-head self-attention,
//! learned positions, and the pooling of a whole sequence by attention.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops;

use super::super::boundary::Boundary;
use super::super::init::{Init, Scheme};
use super::super::scope::{Declaration, Inner, Mode, Scope, check_size};
use super::{Body, LayerKind, init_field};

pub(super) const SELF_ATTENTION: LayerKind = LayerKind {
    id: "multi_head_attention",
    doc: "Self-attention over all pixels: softmax(Q K^T / sqrt(channels / heads)) V in each head, between \
          learned projections (Vaswani et al. 2017, section 3.2).",
    fields: || {
        let dropout = "Probability that an attention weight becomes 0 while learning.";
        vec![
            Field::integer("heads", "Heads; they divide the channels.", 1.0, 64.0, 2.0),
            Field::bool(
                "bias",
                "Whether the projection to Q, K and V adds constants.",
                true,
            ),
            Field::number("dropout", dropout, 0.0, 0.99, 0.0),
            init_field("glorot_uniform"),
        ]
    },
    body: Body::Layer(self_attention),
};

pub(super) const POSITION_EMBEDDING: LayerKind = LayerKind {
    id: "position_embedding",
    doc: "Adds a learned vector to each pixel's channels (Dosovitskiy et al. 2021, section 3.1).",
    fields: || {
        let doc = "Standard deviation at the beginning.";
        vec![Field::number("std", doc, 0.0, 1.0, 0.02)]
    },
    body: Body::Layer(position_embedding),
};

pub(super) const SEQ_POOL: LayerKind = LayerKind {
    id: "seq_pool",
    doc: "The mean of all pixels' channels, weighted by the softmax of a learned score of each pixel \
          (Hassani et al. 2021, \"Escaping the Big Data Paradigm with Compact Transformers\", section 3.1).",
    fields: || vec![init_field("glorot_uniform")],
    body: Body::Layer(seq_pool),
};

/// A projection by a matrix `[inputs, outputs]`.
fn matrix(
    scope: &mut Scope<'_>,
    name: &'static str,
    inputs: usize,
    outputs: usize,
) -> Result<ValueId> {
    let init = Init::Random {
        scheme: Scheme::named(&scope.values.choice("init")?)?,
        fan_in: inputs,
        fan_out: outputs,
    };
    scope.declare(Declaration::new(name, [inputs, outputs], init).outside(Boundary::Dense))
}

fn self_attention(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [n, h, w, c]) = scope.image()?;
    let heads = scope.values.integer("heads")?;
    if !c.is_multiple_of(heads) {
        let expected = format!("channels divisible into {heads} heads");
        return Err(scope.wrong(expected, c.to_string()));
    }
    let tokens = h * w;
    check_size(scope.id, &[heads, tokens, tokens])?;
    // Every token sees every other.
    scope.sees([2 * h - 1, 2 * w - 1], [1; 2], [h - 1, w - 1]);
    let macs = tokens as u64 * (4 * c * c + 2 * tokens * c) as u64;
    scope.count_macs(macs);
    // Names and layouts of PyTorch's MultiheadAttention: Q, K and V one after another.
    let weight = matrix(scope, "in_proj_weight", c, 3 * c)?;
    let rows = ops::reshape(scope.graph, x, [n * tokens, c])?;
    let mut qkv = ops::matmul(scope.graph, rows, weight, false, false)?;
    if scope.values.bool("bias")? {
        let bias = Declaration::new("in_proj_bias", [3 * c], Init::Constant(0.0));
        let bias = scope.declare(bias)?;
        qkv = ops::add(scope.graph, qkv, bias)?;
    }
    let g = &mut *scope.graph;
    let qkv = ops::reshape(g, qkv, [n, tokens, 3 * c])?;
    let q = ops::slice_channels(g, qkv, 0, c)?;
    let k = ops::slice_channels(g, qkv, c, c)?;
    let v = ops::slice_channels(g, qkv, 2 * c, c)?;
    let scores = ops::attention_scores(g, q, k, heads)?;
    let scale = ((c / heads) as f32).sqrt().recip();
    let scores = ops::affine(g, scores, scale, 0.0)?;
    let scores = ops::reshape(g, scores, [n * heads * tokens, tokens])?;
    let mut weights = ops::softmax(g, scores)?;
    let shown = ops::reshape(scope.graph, weights, [n, heads, tokens, tokens])?;
    scope.shows(Inner::Attention, shown);
    let rate = scope.values.number("dropout")?;
    if scope.mode == Mode::Train && rate > 0.0 {
        let (counters, stream) = (scope.counters()?, scope.stream());
        let shape = scope.graph.shape(weights).clone();
        let mask = ops::bernoulli(scope.graph, counters, shape, (1.0 - rate) as f32, stream)?;
        weights = ops::mul(scope.graph, weights, mask)?;
    }
    let weights = ops::reshape(scope.graph, weights, [n, heads, tokens, tokens])?;
    let mixed = ops::attention_mix(scope.graph, weights, v, false)?;
    let mixed = ops::reshape(scope.graph, mixed, [n * tokens, c])?;
    let weight = matrix(scope, "out_proj.weight", c, c)?;
    let bias = Declaration::new("out_proj.bias", [c], Init::Constant(0.0));
    let bias = scope.declare(bias)?;
    let y = ops::matmul(scope.graph, mixed, weight, false, false)?;
    let y = ops::add(scope.graph, y, bias)?;
    ops::reshape(scope.graph, y, [n, h, w, c])
}

fn position_embedding(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [_, h, w, c]) = scope.image()?;
    let std = scope.values.number("std")? as f32;
    let positions = Declaration::new("weight", [h, w, c], Init::Normal { std });
    let positions = scope.declare(positions.outside(Boundary::Maps))?;
    ops::add(scope.graph, x, positions)
}

fn seq_pool(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [n, h, w, c]) = scope.image()?;
    let tokens = h * w;
    scope.sees([h, w], [h, w], [0, 0]);
    scope.count_macs((2 * tokens * c) as u64);
    let weight = matrix(scope, "weight", c, 1)?;
    // It moves all scores alike and so does nothing; the paper's layer has it, and counts it.
    let bias = scope.declare(Declaration::new("bias", [1], Init::Constant(0.0)))?;
    let g = &mut *scope.graph;
    let rows = ops::reshape(g, x, [n * tokens, c])?;
    let scores = ops::matmul(g, rows, weight, false, false)?;
    let scores = ops::add(g, scores, bias)?;
    let scores = ops::reshape(g, scores, [n, tokens])?;
    let weights = ops::softmax(g, scores)?;
    let weights = ops::reshape(g, weights, [n, 1, 1, tokens])?;
    scope.shows(Inner::Attention, weights);
    let g = &mut *scope.graph;
    let x = ops::reshape(g, x, [n, tokens, c])?;
    let y = ops::attention_mix(g, weights, x, false)?;
    ops::reshape(g, y, [n, c])
}
