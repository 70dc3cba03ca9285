//! A small network from coordinates to colors (a compositional pattern-producing network, Stanley 2007;
//! Mordvintsev et al. 2018, "Differentiable Image Parameterizations"): every image of the batch has its
//! own, whose weights are the coefficients. Pictures are smooth at any size.
//!
//! Layers are 1 x 1 convolutions with one group per image, so that the networks of a batch run side by
//! side. Behind each layer go `tanh` and its square, shifted and scaled to mean 0 and deviation 1, as in
//! Lucid's composite activation.

use crate::error::Result;
use crate::graph::{Graph, ValueId};
use crate::ops::{self, Conv2d};
use crate::rng::Rng;

use super::{Canvas, Parameterization};

/// Units of a hidden layer.
const WIDTH: usize = 16;
/// Hidden layers.
const DEPTH: usize = 4;
/// What goes in: two coordinates, their distance from the center, and 1, in place of a bias.
const INPUTS: usize = 4;
/// How far the output layer's sum moves a pixel's logit.
const GAIN: f32 = 2.0;
/// Largest coordinate: wider means finer detail.
const EXTENT: f32 = 2.5;

pub(super) const INFO: Parameterization = Parameterization {
    id: "cppn",
    pixels: false,
    linear: false,
    rate: 0.05,
    count: |canvas| blocks(canvas).iter().map(Block::count).sum(),
    start,
    draw,
};

/// The weights of one layer from one of its two kinds of input.
#[derive(Debug, Clone, Copy)]
struct Block {
    inputs: usize,
    outputs: usize,
}

impl Block {
    fn count(&self) -> usize {
        self.inputs * self.outputs
    }
}

/// The first layer, two blocks per hidden layer behind it, and the two of the output.
fn blocks(canvas: &Canvas) -> Vec<Block> {
    let block = |inputs, outputs| Block { inputs, outputs };
    let mut blocks = vec![block(INPUTS, WIDTH)];
    blocks.resize(1 + 2 * (DEPTH - 1), block(WIDTH, WIDTH));
    blocks.extend([block(WIDTH, canvas.shape[0]); 2]);
    blocks
}

fn start(canvas: &Canvas, rng: &mut Rng) -> Vec<f32> {
    let blocks = blocks(canvas);
    let hidden = blocks.len() - 2;
    let mut weights = Vec::new();
    for (index, block) in blocks.into_iter().enumerate() {
        // The output starts at zero, and with it the image at its base.
        let deviation = if index < hidden {
            (1.0 / block.inputs as f32).sqrt()
        } else {
            0.0
        };
        let count = canvas.images * block.count();
        weights.extend((0..count).map(|_| deviation * rng.normal()));
    }
    weights
}

fn draw(graph: &mut Graph, canvas: &Canvas, coefficients: ValueId) -> Result<ValueId> {
    let (n, [c, h, w]) = (canvas.images, canvas.shape);
    let all = n * blocks(canvas).iter().map(Block::count).sum::<usize>();
    let row = ops::reshape(graph, coefficients, [1, all])?;
    let mut first = 0;
    let config = Conv2d {
        groups: n,
        ..Conv2d::default()
    };
    // One layer's share of one of its inputs.
    let mut apply = |graph: &mut Graph, x: ValueId, block: &Block| {
        let len = n * block.count();
        let weights = ops::slice_channels(graph, row, first, len)?;
        first += len;
        let weights = ops::reshape(graph, weights, [1, 1, block.inputs, n * block.outputs])?;
        ops::conv2d(graph, x, weights, config)
    };
    let blocks = blocks(canvas);
    let coordinates = graph.constant([1, h, w, n * INPUTS], &coordinates(n, [h, w]))?;
    let mut x = apply(graph, coordinates, &blocks[0])?;
    for pair in blocks[1..].chunks_exact(2) {
        let bend = ops::tanh(graph, x)?;
        let square = ops::mul(graph, bend, bend)?;
        // Mean and deviation of the two for normal inputs.
        let bend = ops::affine(graph, bend, 1.0 / 0.63, 0.0)?;
        let square = ops::affine(graph, square, 1.0 / 0.32, -0.39 / 0.32)?;
        let odd = apply(graph, bend, &pair[0])?;
        let even = apply(graph, square, &pair[1])?;
        x = ops::add(graph, odd, even)?;
        // Two inputs of unit deviation make one of sqrt(2).
        x = ops::affine(graph, x, std::f32::consts::FRAC_1_SQRT_2, 0.0)?;
    }
    let x = ops::affine(graph, x, GAIN, 0.0)?;
    // [h * w, n * c] to [n, c, h * w] to [n, h, w, c].
    let x = ops::transpose(graph, x, [1, h * w, n * c], [n * c, h * w])?;
    ops::transpose(graph, x, [n, c, h * w], [n, h, w, c])
}

/// `[h, w, n * INPUTS]`: every image has the same coordinates.
fn coordinates(n: usize, [h, w]: [usize; 2]) -> Vec<f32> {
    let along = |i: usize, size: usize| EXTENT * (2.0 * (i as f32 + 0.5) / size as f32 - 1.0);
    let pixel = |i: usize| {
        let (y, x) = (along(i / w, h), along(i % w, w));
        [y, x, y.hypot(x) - EXTENT * 0.75, 1.0]
    };
    (0..h * w).flat_map(|i| pixel(i).repeat(n)).collect()
}
