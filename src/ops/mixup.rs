//! Batches blended with themselves (Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization"). Each
//! row's partner is the one as far from the end as it is from the start; as batches come in random
//! order, that is a random pairing.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::affine_positions::{counters, strengths};
use super::random::{expect_strengths, uniform};
use super::testing::{nan, wave};

/// The share of each row's own image.
#[derive(Debug, Clone, Copy)]
struct MixupShares {
    rows: usize,
}

/// `y[i] = share[i] x[i] + (1 - share[i]) x[n - 1 - i]`.
#[derive(Debug, Clone, Copy)]
struct MixMirrored;

/// `y[i] = x[n - 1 - i]`.
#[derive(Debug, Clone, Copy)]
struct Mirrored;

/// Keeps these draws apart from other ops'.
const SALT: u32 = 15;

/// The share of a step, `rows` times the same: the larger of x and 1 - x for an x from Beta(alpha, alpha).
/// As a pair is blended both ways, that loses nothing, and each row stays mostly itself. `strengths` is
/// `[8]`: alpha (above 0, at most 1), unused.
///
/// # Errors
/// When there are no rows, or the shapes do not fit.
pub fn mixup_shares(
    graph: &mut Graph,
    strengths: ValueId,
    counters: ValueId,
    rows: usize,
) -> Result<ValueId> {
    graph.push(MixupShares { rows }, &[strengths, counters])
}

/// Rows of `x`, `[n, ...]`, each blended with its partner: its own share is `shares[i]`, `[n]`.
///
/// # Errors
/// When there is not one share per row.
pub fn mix_mirrored(graph: &mut Graph, x: ValueId, shares: ValueId) -> Result<ValueId> {
    graph.push(MixMirrored, &[x, shares])
}

/// The words of `x`, `u32[n]`, in reverse: what belongs to each row's partner.
///
/// # Errors
/// When `x` is not a vector of words.
pub fn mirrored(graph: &mut Graph, x: ValueId) -> Result<ValueId> {
    graph.push(Mirrored, &[x])
}

/// By Jöhnk's rejection (1964), as the shader does.
fn share(alpha: f32, counters: &[u32]) -> f32 {
    for draw in 0..32_u32 {
        let power = |k: u32| (uniform(counters, SALT, draw * 2 + k).ln() / alpha).exp();
        let (a, b) = (power(0), power(1));
        if a + b <= 1.0 && a + b > 0.0 {
            return a.max(b) / (a + b);
        }
    }
    1.0
}

impl Op for MixupShares {
    fn name(&self) -> &'static str {
        "mixup_shares"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [strengths, counters] = expect_inputs("mixup_shares", inputs)?;
        expect_strengths("mixup_shares", strengths, counters)?;
        if self.rows == 0 {
            return Err(Error::mismatch("mixup_shares", "at least one row", "none"));
        }
        Ok(Spec::f32([self.rows]))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        let rows = self.rows;
        let twin = |args: &mut Args<'_>| {
            let share = share(args.read(0)[0], args.read_words(1));
            args.write(0).fill(share);
        };
        let constants = [("ROWS", rows), ("SALT", SALT as usize)];
        let kernel = Kernel::linear("mixup_shares", SHARES_SHADER, &constants, 2, rows, twin);
        Lowering::single(kernel, 2)
    }
}

impl Op for MixMirrored {
    fn name(&self) -> &'static str {
        "mix_mirrored"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, shares] = expect_inputs("mix_mirrored", inputs)?;
        let rows = expect_dtype("mix_mirrored", x, DType::F32)?.dims().first();
        match rows {
            Some(&rows) if rows > 0 && *shares == Spec::f32([rows]) => Ok(x.clone()),
            _ => Err(Error::mismatch(
                "mix_mirrored",
                format!("one share per row of {x}"),
                shares.to_string(),
            )),
        }
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let (n, rows) = (output.shape.elements(), inputs[1].shape.elements());
        let size = n / rows;
        let twin = move |args: &mut Args<'_>| {
            let (x, shares) = (args.read(0), args.read(1));
            for (i, y) in args.write(0).chunks_exact_mut(size.max(1)).enumerate() {
                let (own, other) = (&x[i * size..], &x[(rows - 1 - i) * size..]);
                for (y, (own, other)) in y.iter_mut().zip(own.iter().zip(other)) {
                    *y = shares[i] * own + (1.0 - shares[i]) * other;
                }
            }
        };
        let constants = [("ROWS", rows), ("SIZE", size)];
        let kernel = Kernel::linear("mix_mirrored", MIX_SHADER, &constants, 2, n, twin);
        Lowering::single(kernel, 2)
    }
}

impl Op for Mirrored {
    fn name(&self) -> &'static str {
        "mirrored"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("mirrored", inputs)?;
        match expect_dtype("mirrored", x, DType::U32)?.dims() {
            [_] => Ok(x.clone()),
            _ => Err(Error::mismatch("mirrored", "a vector", x.to_string())),
        }
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let rows = output.shape.elements();
        let twin = |args: &mut Args<'_>| {
            let x = args.read_words(0);
            let reversed = x.iter().rev();
            args.write_words(0)
                .iter_mut()
                .zip(reversed)
                .for_each(|(y, x)| *y = *x);
        };
        let constants = [("ROWS", rows)];
        let kernel = Kernel::linear("mirrored", MIRRORED_SHADER, &constants, 1, rows, twin);
        Lowering::single(kernel, 1)
    }
}

const SHARES_SHADER: &str = crate::wgsl!("../../shaders/mixup_shares.wgsl");
const MIX_SHADER: &str = crate::wgsl!("../../shaders/mix_mirrored.wgsl");
const MIRRORED_SHADER: &str = crate::wgsl!("../../shaders/mirrored.wgsl");

pub(super) const SHARES_INFO: OpInfo = OpInfo {
    name: "mixup_shares",
    doc: "How much of each image stays its own when a batch is blended with itself.",
    shaders: &[("mixup_shares", SHARES_SHADER)],
    examples: || {
        let example = |name, alpha, step, build| {
            Example::new(name, vec![strengths(&[alpha])], build)
                .with_words(counters(step, 9))
                .forward_only()
        };
        let five = |g: &mut Graph, x: &[ValueId]| mixup_shares(g, x[0], x[1], 5);
        let one = |g: &mut Graph, x: &[ValueId]| mixup_shares(g, x[0], x[1], 1);
        vec![
            example("uniform", 1.0, 3, five),
            example("rarely mixed", 0.05, 4, five),
            example("one row", 0.4, 5, one),
            example("not a number", f32::NAN, 6, five),
        ]
    },
};

pub(super) const MIX_INFO: OpInfo = OpInfo {
    name: "mix_mirrored",
    doc: "Rows blended with the rows of the reversed batch.",
    shaders: &[("mix_mirrored", MIX_SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| mix_mirrored(g, x[0], x[1]);
        let example = |name, x: crate::tensor::Tensor| {
            let rows = x.shape().dims()[0];
            let shares = crate::tensor::Tensor::from_fn([rows], |i| 0.5 + 0.1 * i as f32);
            Example::new(name, vec![x, shares], build).forward_only()
        };
        vec![
            example("images", wave([4, 2, 3, 2], 0.1)),
            example("odd rows", wave([3, 5], 0.1)),
            example("one row", wave([1, 4], 0.1)),
            example("not a number", nan([2, 3])),
        ]
    },
};

pub(super) const MIRRORED_INFO: OpInfo = OpInfo {
    name: "mirrored",
    doc: "Words in reverse order.",
    shaders: &[("mirrored", MIRRORED_SHADER)],
    examples: || {
        let example = |name, words: Vec<u32>| {
            let spec = Spec::u32([words.len()]);
            Example::new(name, Vec::new(), |g, x| mirrored(g, x[0]))
                .with_words(vec![(spec, words)])
                .forward_only()
        };
        vec![
            example("five words", vec![3, 1, 4, 1, 5]),
            example("one word", vec![7]),
        ]
    },
};

#[cfg(test)]
mod tests {
    use super::share;

    /// Beta(1/2, 1/2) is the arcsine law: the larger of x and 1 - x is below 3/4 with probability 1/3.
    #[test]
    fn shares_follow_the_beta_distribution() {
        let shares = (0..20_000).map(|step| share(0.5, &[step, 1]));
        let below = shares.filter(|share| *share < 0.75).count();
        assert!((6400..6930).contains(&below), "{below} of 20000");
    }
}
