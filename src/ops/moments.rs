//! Mean and variance of each channel, for batch normalization, in one reading of the activations: each
//! chunk of rows gives its mean and its sum of squared distances from it, and the chunks are merged
//! pairwise-exactly (Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for
//! computing sample variances"). The difference of mean squares would cancel.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::{Args, MERGED_PARTS, aligned};
use crate::tensor::{DType, Spec};

use super::alias::view;
use super::lanes::{ALONE, Lanes, POOLED, statistics_chunks};
use super::rows::{add_rows, quarters};
use super::testing::{nan, wave};

/// From `x` `[.., c]`, mean and sum of squared distances from it of each channel of each chunk: `[chunks, 2, c]`.
#[derive(Debug, Clone, Copy)]
struct Parts;

/// From the parts of `x`: the means at word 0 and the biased variances at word `aligned(c)`.
#[derive(Debug, Clone, Copy)]
struct Merge {
    rows: usize,
}

/// Statistics of each channel.
#[derive(Debug, Clone, Copy)]
pub struct Moments {
    /// `[c]`.
    pub mean: ValueId,
    /// `[c]`, biased.
    pub variance: ValueId,
    /// Of which they are merged, for kernels that would rather merge them than wait: `[chunks, 2, c]`.
    pub(super) parts: ValueId,
}

/// Mean and biased variance of each channel of `x` `[.., c]`. They have no gradient of their own: `batch_norm`
/// takes it through both.
///
/// # Errors
/// When `x` has no elements or is not of floats.
pub fn moments(graph: &mut Graph, x: ValueId) -> Result<Moments> {
    let channels = graph.shape(x).last();
    let parts = graph.push(Parts, &[x])?;
    let rows = graph.shape(x).elements() / channels;
    let both = graph.push(Merge { rows }, &[parts])?;
    Ok(Moments {
        mean: view(graph, both, 0, [channels])?,
        variance: view(graph, both, aligned(channels), [channels])?,
        parts,
    })
}

/// Checks that `per_channel` is one float for each of `x`'s channels.
pub(super) fn expect_per_channel(place: &str, x: &Spec, per_channel: &Spec) -> Result<()> {
    let expected = Spec::f32([x.shape.last()]);
    if *per_channel == expected {
        return Ok(());
    }
    Err(Error::mismatch(
        place,
        expected.to_string(),
        per_channel.to_string(),
    ))
}

impl Op for Parts {
    fn name(&self) -> &'static str {
        "moments"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("moments", inputs)?;
        let channels = x.shape.last();
        if expect_dtype("moments", x, DType::F32)?.elements() == 0 {
            return Err(Error::mismatch(
                "moments",
                "at least one element",
                x.to_string(),
            ));
        }
        let (_, chunks) = statistics_chunks(x.shape.elements() / channels);
        Ok(Spec::f32([chunks, 2, channels]))
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let channels = inputs[0].shape.last();
        let rows = inputs[0].shape.elements() / channels;
        let (chunk, _) = statistics_chunks(rows);
        let twin = move |args: &mut Args<'_>| {
            let x = args.read(0);
            let parts = args.write(0).chunks_exact_mut(2 * channels);
            for (part, x) in parts.zip(x.chunks(chunk * channels)) {
                part.fill(0.0);
                let (mean, squares) = part.split_at_mut(channels);
                add_rows(x, mean);
                let count = (x.len() / channels) as f32;
                mean.iter_mut().for_each(|mean| *mean /= count);
                add_squares(x, mean, squares);
            }
        };
        let lanes = Lanes::parts(rows, channels);
        let kernel = lanes.kernel("moments", SHADER, &[], 1, Arc::new(twin));
        Lowering::single(kernel.with_run(lanes.run()), 1)
    }
}

impl Op for Merge {
    fn name(&self) -> &'static str {
        "moments_merge"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [parts] = expect_inputs("moments_merge", inputs)?;
        Ok(Spec::f32([2 * aligned(parts.shape.last())]))
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let (rows, channels) = (self.rows, inputs[0].shape.last());
        let half = output.shape.elements() / 2;
        let constants = [("CHUNK", statistics_chunks(rows).0), ("HALF", half)];
        let twin = move |args: &mut Args<'_>| {
            let parts = args.read(0);
            let (means, variances) = args.write(0).split_at_mut(half);
            merge(parts, rows, &mut means[..channels], variances);
        };
        let lanes = Lanes::merge(rows, channels);
        let name = "moments_merge";
        let kernel = lanes.kernel(name, MERGE_SHADER, &constants, 1, Arc::new(twin));
        Lowering::single(kernel, 1)
    }
}

/// Means and biased variances from `parts` of `rows` rows.
pub(super) fn merge(parts: &[f32], rows: usize, means: &mut [f32], variances: &mut [f32]) {
    let channels = means.len();
    let (chunk, chunks) = statistics_chunks(rows);
    for c in 0..channels {
        let [_, mean, squares] = (0..chunks).fold([0.0; 3], |so_far, index| {
            let count = chunk.min(rows - index * chunk) as f32;
            let at = index * 2 * channels + c;
            merged(so_far, [count, parts[at], parts[at + channels]])
        });
        (means[c], variances[c]) = (mean, squares / rows as f32);
    }
}

/// Number, mean and sum of squared distances of two sets together.
fn merged([n, mean, squares]: [f32; 3], [m, other_mean, other_squares]: [f32; 3]) -> [f32; 3] {
    let (all, delta) = (n + m, other_mean - mean);
    [
        all,
        mean * (n / all) + other_mean * (m / all),
        squares + other_squares + delta * delta * (n * (m / all)),
    ]
}

/// Adds to `squares`, for each channel, the squared distance of every row from `mean`.
fn add_squares(x: &[f32], mean: &[f32], squares: &mut [f32]) {
    let channels = mean.len();
    let square = |x: &f32, mean: &f32| (x - mean) * (x - mean);
    let fours = x.chunks_exact(4 * channels);
    for row in fours.remainder().chunks_exact(channels) {
        for ((sum, x), mean) in squares.iter_mut().zip(row).zip(mean) {
            *sum += square(x, mean);
        }
    }
    for four in fours {
        let [a, b, c, d] = quarters(four);
        let rows = a.iter().zip(b).zip(c.iter().zip(d)).zip(mean);
        for (sum, (((a, b), (c, d)), m)) in squares.iter_mut().zip(rows) {
            *sum += (square(a, m) + square(b, m)) + (square(c, m) + square(d, m));
        }
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/moments.wgsl");
const MERGE_SHADER: &str = crate::wgsl!("../../shaders/moments_merge.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "moments",
    doc: "Mean and biased variance of each channel.",
    shaders: &[
        ("moments", SHADER),
        ("moments_merge", MERGE_SHADER),
        ("merged_parts", MERGED_PARTS),
        ("lanes_alone", ALONE),
        ("lanes_pooled", POOLED),
    ],
    examples: || {
        fn both(g: &mut Graph, x: &[ValueId]) -> Result<ValueId> {
            let Moments { mean, variance, .. } = moments(g, x[0])?;
            super::pack(g, &[mean, variance])
        }
        // Far from zero, where mean squares would lose the variance.
        let far = wave([5, 13, 11, 3], 0.1);
        let far = crate::tensor::Tensor::from_fn([5, 13, 11, 3], |i| far.to_vec()[i] + 100.0);
        vec![
            Example::new("few rows", vec![wave([2, 2, 2, 3], 0.1)], both).forward_only(),
            Example::new("many rows", vec![far], both).forward_only(),
            Example::new("many channels", vec![wave([9, 70], 0.3)], both).forward_only(),
            Example::new("one row", vec![wave([1, 3], 0.2)], both).forward_only(),
            // Each workgroup of the convolution goes on with its own rows, 128 of 32 channels; the last has 32.
            Example::new(
                "of a convolution",
                vec![wave([9, 4, 8, 1], 0.1), wave([1, 1, 1, 32], 0.4)],
                |g, x| {
                    let y = super::conv2d(g, x[0], x[1], super::Conv2d::default())?;
                    both(g, &[y])
                },
            )
            .forward_only(),
            Example::new("not a number", vec![nan([3, 2])], both).forward_only(),
        ]
    },
};

#[cfg(test)]
mod tests {
    use super::merged;

    #[test]
    fn merging_is_what_all_values_together_give() {
        let of = |x: &[f32]| {
            let mean = x.iter().sum::<f32>() / x.len() as f32;
            let squares = x.iter().map(|x| (x - mean) * (x - mean)).sum();
            [x.len() as f32, mean, squares]
        };
        let (a, b) = ([1.0, 2.0, 4.0], [3.0, -5.0]);
        let all = of(&[a.as_slice(), &b].concat());
        for (found, expected) in merged(merged([0.0; 3], of(&a)), of(&b)).iter().zip(all) {
            assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
        }
    }
}
