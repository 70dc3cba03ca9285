//! Normalization of groups of channels within an image: layer, instance and group normalization are this op with
//! one group, as many as channels, and anything between (Wu & He 2018, Fig. 2). Each group gets
//! mean 0 and variance 1 over space and its channels; scale and shift are ops of their own. Nothing is
//! shared across images, so training and answering are the same.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Access, Args, GROUP, Kernel, linear_workgroups, wgsl_with};
use crate::tensor::{DType, Spec};

use super::rows::sum_pairs;
use super::testing::{nan, wave};

/// `y = (x - mean) / sqrt(variance + eps)` over `[images, pixels, groups, channels / groups]`, the statistics
/// taken over pixels and a group's channels.
#[derive(Debug, Clone, Copy)]
struct GroupNorm {
    images: usize,
    groups: usize,
    eps: f32,
}

/// The gradient of the input, from dy and x.
#[derive(Debug, Clone, Copy)]
struct GroupNormGradient(GroupNorm);

/// Normalizes `x` `[.., c]`, seen as `[images, pixels, groups, c / groups]`, over pixels and each group's
/// channels; the variance is the biased one. Layer normalization of every pixel's channels takes all
/// pixels as images.
///
/// # Errors
/// When `images` or `groups` do not divide `x`.
pub fn group_norm(
    graph: &mut Graph,
    x: ValueId,
    images: usize,
    groups: usize,
    eps: f32,
) -> Result<ValueId> {
    let op = GroupNorm {
        images,
        groups,
        eps,
    };
    graph.push(op, &[x])
}

impl GroupNorm {
    fn check(&self, place: &str, x: &Spec) -> Result<()> {
        let shape = expect_dtype(place, x, DType::F32)?;
        let (elements, channels) = (shape.elements(), shape.last());
        let divides = |whole: usize, part: usize| part > 0 && whole.is_multiple_of(part);
        let images = self.images.checked_mul(channels);
        if elements == 0
            || !divides(channels, self.groups)
            || !images.is_some_and(|part| divides(elements, part))
        {
            let expected = format!("{} images, {} groups of channels", self.images, self.groups);
            return Err(Error::mismatch(place, expected, x.to_string()));
        }
        Ok(())
    }

    /// A kernel of one workgroup per group, with the twin that is handed the rows of one group at a time.
    fn kernel(
        self,
        name: &'static str,
        source: &str,
        n_reads: usize,
        x: &Spec,
        twin: impl Fn(&Rows, &[&[f32]], &mut [f32]) + Send + Sync + 'static,
    ) -> Kernel {
        let channels = x.shape.last();
        let pixels = x.shape.elements() / channels / self.images;
        let width = channels / self.groups;
        let count = self.images * self.groups;
        let groups = self.groups;
        let constants = [
            ("NORM_GROUPS", count),
            ("GROUPS", groups),
            ("PIXELS", pixels),
            ("CHANNELS", channels),
            ("WIDTH", width),
            ("EPS_BITS", self.eps.to_bits() as usize),
        ];
        let mut accesses = vec![Access::Read; n_reads];
        accesses.push(Access::Write);
        let each = move |args: &mut Args<'_>| {
            let mut reads: [&[f32]; 2] = [&[]; 2];
            for (index, read) in reads.iter_mut().enumerate().take(n_reads) {
                *read = args.read(index);
            }
            let y = args.write(0);
            for group in 0..count {
                let first = group / groups * pixels * channels + group % groups * width;
                let rows = Rows {
                    first,
                    pixels,
                    channels,
                    width,
                };
                twin(&rows, &reads, y);
            }
        };
        Kernel {
            name,
            wgsl: wgsl_with(&constants, source),
            accesses,
            workgroups: linear_workgroups(count * GROUP as usize),
            tiled: None,
            run: None,
            twin: std::sync::Arc::new(each),
        }
    }
}

/// Where one group's elements are: runs of `width`, `channels` apart.
struct Rows {
    first: usize,
    pixels: usize,
    channels: usize,
    width: usize,
}

impl Rows {
    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let (first, channels, width) = (self.first, self.channels, self.width);
        (0..self.pixels).map(move |pixel| {
            let at = first + pixel * channels;
            at..at + width
        })
    }

    fn count(&self) -> f32 {
        (self.pixels * self.width) as f32
    }

    /// Mean and reciprocal standard deviation of the group.
    fn statistics(&self, x: &[f32], eps: f32) -> [f32; 2] {
        let runs = || self.ranges().map(|range| &x[range]);
        let sums = runs().map(|run| sum_pairs(run, run, |x, _| x));
        let mean = sums.sum::<f32>() / self.count();
        let squares = runs().map(|run| sum_pairs(run, run, |x, _| (x - mean) * (x - mean)));
        let variance = squares.sum::<f32>() / self.count();
        [mean, 1.0 / (variance + eps).sqrt()]
    }
}

impl Op for GroupNorm {
    fn name(&self) -> &'static str {
        "group_norm"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("group_norm", inputs)?;
        self.check("group_norm", x)?;
        Ok(x.clone())
    }

    /// `dx = (dy - mean(dy) - y mean(dy y)) / sqrt(variance + eps)`.
    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let dx = b
            .graph
            .push(GroupNormGradient(*self), &[b.dy, b.inputs[0]])?;
        Ok(vec![Some(dx)])
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let eps = self.eps;
        let twin = move |rows: &Rows, reads: &[&[f32]], y: &mut [f32]| {
            let [mean, scale] = rows.statistics(reads[0], eps);
            for range in rows.ranges() {
                for (y, x) in y[range.clone()].iter_mut().zip(&reads[0][range]) {
                    *y = (x - mean) * scale;
                }
            }
        };
        Lowering::single(self.kernel("group_norm", SHADER, 1, &inputs[0], twin), 1)
    }
}

impl Op for GroupNormGradient {
    fn name(&self) -> &'static str {
        "group_norm_gradient"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy, x] = expect_inputs("group_norm_gradient", inputs)?;
        self.0.check("group_norm_gradient", x)?;
        expect_dtype("group_norm_gradient", dy, DType::F32)?;
        Ok(dy.clone())
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let eps = self.0.eps;
        let twin = move |rows: &Rows, reads: &[&[f32]], dx: &mut [f32]| {
            let [dy, x] = [reads[0], reads[1]];
            let [mean, scale] = rows.statistics(x, eps);
            let (mut plain, mut weighted) = (0.0, 0.0);
            for range in rows.ranges() {
                let (dy, x) = (&dy[range.clone()], &x[range]);
                plain += sum_pairs(dy, x, |dy, _| dy);
                weighted += sum_pairs(dy, x, |dy, x| dy * (x - mean));
            }
            let plain = plain / rows.count();
            let weighted = weighted * scale * scale / rows.count();
            for range in rows.ranges() {
                let inputs = dy[range.clone()].iter().zip(&x[range.clone()]);
                for (dx, (dy, x)) in dx[range].iter_mut().zip(inputs) {
                    *dx = (dy - plain - (x - mean) * weighted) * scale;
                }
            }
        };
        let name = "group_norm_gradient";
        let kernel = self.0.kernel(name, GRADIENT_SHADER, 2, &inputs[1], twin);
        Lowering::single(kernel, 2)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/group_norm.wgsl");
const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/group_norm_gradient.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "group_norm",
    doc: "Normalization of groups of channels within each image.",
    shaders: &[
        ("group_norm", SHADER),
        ("group_norm_gradient", GRADIENT_SHADER),
    ],
    examples: || {
        let by = |name, dims: [usize; 4], build| Example::new(name, vec![wave(dims, 0.1)], build);
        vec![
            by("groups", [2, 2, 3, 6], |g, x| {
                group_norm(g, x[0], 2, 3, 0.1)
            }),
            by("layer", [2, 5, 7, 3], |g, x| group_norm(g, x[0], 2, 1, 0.1)),
            by("instance", [2, 3, 2, 3], |g, x| {
                group_norm(g, x[0], 2, 3, 0.1)
            }),
            by("each pixel", [2, 2, 2, 5], |g, x| {
                group_norm(g, x[0], 8, 1, 0.1)
            }),
            Example::new("one element", vec![wave([1], 0.1)], |g, x| {
                group_norm(g, x[0], 1, 1, 0.1)
            }),
            Example::new("not a number", vec![nan([4, 3])], |g, x| {
                group_norm(g, x[0], 4, 1, 0.1)
            })
            .forward_only(),
        ]
    },
};
