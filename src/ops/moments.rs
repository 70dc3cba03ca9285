//! Mean and variance of each channel, for batch normalization, in one reading of the activations: each
//! chunk of rows gives its mean and its sum of squared distances from it, and the chunks are merged
//! pairwise-exactly (Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for
//! computing sample variances"). The difference of mean squares would cancel.

use crate::error::{Error, Result};
use crate::graph::{
    Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel, aligned};
use crate::tensor::{DType, Spec};

use super::alias::view;
use super::rows::{add_rows, quarters};
use super::sum::chunk_rows;
use super::testing::{nan, wave};

/// Word 0: the means; word `aligned(c)`: the biased variances.
#[derive(Debug, Clone, Copy)]
struct Moments;

/// Mean and biased variance of each channel: `[.., c]` to two `[c]`. They have no gradient of their own:
/// `batch_norm` takes it through both.
///
/// # Errors
/// When `x` has no elements or is not of floats.
pub fn moments(graph: &mut Graph, x: ValueId) -> Result<(ValueId, ValueId)> {
    let channels = graph.shape(x).last();
    let both = graph.push(Moments, &[x])?;
    let mean = view(graph, both, 0, [channels])?;
    let variance = view(graph, both, aligned(channels), [channels])?;
    Ok((mean, variance))
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

impl Op for Moments {
    fn name(&self) -> &'static str {
        "moments"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("moments", inputs)?;
        if expect_dtype("moments", x, DType::F32)?.elements() == 0 {
            return Err(Error::mismatch(
                "moments",
                "at least one element",
                x.to_string(),
            ));
        }
        Ok(Spec::f32([2 * aligned(x.shape.last())]))
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let channels = inputs[0].shape.last();
        let rows = inputs[0].shape.elements() / channels;
        let (chunk, chunks) = chunk_rows(rows);
        let half = output.shape.elements() / 2;
        let constants = [("ROWS", rows), ("CHANNELS", channels), ("CHUNK", chunk)];
        let parts = move |args: &mut Args<'_>| {
            let x = args.read(0);
            let partials = args.write(0).chunks_exact_mut(2 * channels);
            for (partial, x) in partials.zip(x.chunks(chunk * channels)) {
                partial.fill(0.0);
                let (mean, squares) = partial.split_at_mut(channels);
                add_rows(x, mean);
                let count = (x.len() / channels) as f32;
                mean.iter_mut().for_each(|mean| *mean /= count);
                add_squares(x, mean, squares);
            }
        };
        let merge = move |args: &mut Args<'_>| {
            let partials = args.read(0);
            let (means, variances) = args.write(0).split_at_mut(half);
            for c in 0..channels {
                let merged = (0..chunks).fold([0.0; 3], |so_far, index| {
                    let count = chunk.min(rows - index * chunk) as f32;
                    let at = index * 2 * channels + c;
                    merged(so_far, [count, partials[at], partials[at + channels]])
                });
                (means[c], variances[c]) = (merged[1], merged[2] / rows as f32);
            }
        };
        let threads = chunks * channels;
        let parts = Call {
            kernel: Kernel::linear("moments", SHADER, &constants, 1, threads, parts),
            bindings: vec![Slot::Input(0), Slot::Scratch(0)],
        };
        let mut constants = constants.to_vec();
        constants.push(("HALF", half));
        let name = "moments_merge";
        let merge = Call {
            kernel: Kernel::linear(name, MERGE_SHADER, &constants, 1, channels, merge),
            bindings: vec![Slot::Scratch(0), Slot::Output],
        };
        Lowering::Kernels {
            scratch: vec![2 * threads],
            calls: vec![parts, merge],
        }
    }
}

/// Number, mean and sum of squared distances of two sets together.
fn merged([n, mean, squares]: [f32; 3], [m, other_mean, other_squares]: [f32; 3]) -> [f32; 3] {
    let (all, delta) = (n + m, other_mean - mean);
    [
        all,
        mean + delta * (m / all),
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
    shaders: &[("moments", SHADER), ("moments_merge", MERGE_SHADER)],
    examples: || {
        let both = |g: &mut Graph, x: &[ValueId]| {
            let (mean, variance) = moments(g, x[0])?;
            super::pack(g, &[mean, variance])
        };
        // Far from zero, where mean squares would lose the variance.
        let far = wave([5, 13, 11, 3], 0.1);
        let far = crate::tensor::Tensor::from_fn([5, 13, 11, 3], |i| far.to_vec()[i] + 100.0);
        vec![
            Example::new("few rows", vec![wave([2, 2, 2, 3], 0.1)], both).forward_only(),
            Example::new("many rows", vec![far], both).forward_only(),
            Example::new("one row", vec![wave([1, 3], 0.2)], both).forward_only(),
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
