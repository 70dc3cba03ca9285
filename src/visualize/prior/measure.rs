//! Mean and deviation of every number of the code over a sample of the training images.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::nn::Mode;
use crate::ops;
use crate::tensor::Spec;

use super::super::recipe::Next;
use super::super::{Buffers, Recipe};
use super::{Prior, REACH};

/// Images per run, and runs.
const BATCH: usize = 64;
const RUNS: u32 = 16;

/// The sums over all runs.
const SUMS: [&str; 3] = ["code mean", "code square", "code below zero"];

/// The recipe, before `then`, which is given "code mean", "code unit" (one over the deviation), and "code low" and
/// "code high" (how far from its mean a number may go, in deviations).
pub(super) fn recipe(prior: &Prior<'_>, then: Recipe) -> Result<Recipe> {
    let data = prior.request.data()?;
    let n_items = data.len("train")?;
    let mut graph = Graph::new();
    let g = &mut graph;
    let counters = g.external("measure counters", Spec::u32([4]))?;
    let indices = ops::epoch_indices(g, counters, n_items, BATCH.min(n_items))?;
    let inputs = data.gather(g, "train", indices)?;
    let built = prior.request.network.build(g, inputs.images, Mode::Eval)?;
    let code = prior.code_of(g, &built)?;
    let square = ops::mul(g, code, code)?;
    let below = ops::affine(g, code, -1.0, 0.0)?;
    let below = ops::relu(g, below)?;
    let [n, k] = g.shape(code).two("learned prior")?;
    let keep = g.constant([k], &vec![1.0; k])?;
    let take = g.constant([k], &vec![1.0 / RUNS as f32; k])?;
    let mut outputs = Vec::new();
    for (name, value) in SUMS.into_iter().zip([code, square, below]) {
        let mean = ops::sum(g, value, [1, n, k], [k], 1.0 / n as f32)?;
        let state = prior.per_code(g, name)?;
        outputs.push(ops::running_average(g, state, mean, keep, take)?);
    }
    ops::advance(g, counters)?;
    let zeros = || vec![0; k];
    let mut buffers: Buffers = SUMS.into_iter().map(|name| (name, zeros())).collect();
    buffers.push(("measure counters", vec![0, prior.request.seed as u32, 0, 0]));
    Ok(Recipe {
        compiled: compile(&graph, "code statistics", &outputs)?,
        buffers,
        runs: RUNS,
        decode: Box::new(|_| Ok(Vec::new())),
        then: Some(Box::new(Next {
            recipe: then,
            feed: Box::new(|outputs| match outputs {
                [mean, square, below] => Ok(bounds(mean, square, below)),
                _ => {
                    let found = outputs.len().to_string();
                    Err(Error::mismatch("learned prior", "three sums", found))
                }
            }),
        })),
    })
}

/// What the next recipe needs of the sums.
fn bounds(mean: &[f32], square: &[f32], below: &[f32]) -> Buffers {
    let variances = mean.iter().zip(square);
    // A unit that always says the same carries nothing.
    let unit = |(mean, square): (&f32, &f32)| {
        let variance = square - mean * mean;
        let is_dead = variance <= 1e-6 * square.max(f32::MIN_POSITIVE);
        if is_dead {
            0.0
        } else {
            variance.sqrt().recip()
        }
    };
    let units: Vec<f32> = variances.map(unit).collect();
    // Where nothing is below zero (behind a rectifier), the code stays so.
    let rectified = below.iter().all(|x| *x == 0.0);
    let low = |(mean, unit): (&f32, &f32)| match rectified {
        true => -(mean * unit).min(REACH),
        false if *unit > 0.0 => -REACH,
        false => 0.0,
    };
    let lows: Vec<f32> = mean.iter().zip(&units).map(low).collect();
    let high = |unit: &f32| if *unit > 0.0 { REACH } else { 0.0 };
    let highs: Vec<f32> = units.iter().map(high).collect();
    let named = [
        ("code mean", mean),
        ("code unit", &units),
        ("code low", &lows),
        ("code high", &highs),
    ];
    let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect();
    named.map(|(name, values)| (name, bits(values))).to_vec()
}
