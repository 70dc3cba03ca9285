//! The two halves of batch normalization's gradient: the sums over each channel, which are the
//! gradients of shift and scale, and with them the gradient of the input. Pushed by `batch_norm`
//! only, whose `infer` has accepted the shapes.

use crate::error::Result;
use crate::graph::{Lowering, Op, expect_inputs};
use crate::program::{Args, aligned};
use crate::tensor::Spec;

use super::lanes::{Lanes, statistics_chunks};
use super::rows::{add_rows, quarters};

/// From dy, x, mean, variance: for each chunk `sum(dy (x - mean) / sqrt(variance + eps))` at word 0 and `sum(dy)` at
/// word `aligned(c)` of its row, so that each half of their sum is a view.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    pub(super) eps: f32,
}

/// The gradient of the input where the statistics are its own, from dy, x, mean, variance, gamma and [`Sums`].
#[derive(Debug, Clone, Copy)]
pub(super) struct InputGradient {
    pub(super) eps: f32,
}

impl Op for Sums {
    fn name(&self) -> &'static str {
        "batch_norm_sums"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [_, x, ..] = expect_inputs::<4>("batch_norm_sums", inputs)?;
        let channels = x.shape.last();
        let (_, chunks) = statistics_chunks(x.shape.elements() / channels.max(1));
        Ok(Spec::f32([chunks, 2 * aligned(channels)]))
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let channels = inputs[1].shape.last();
        let rows = inputs[1].shape.elements() / channels.max(1);
        let (chunk, _) = statistics_chunks(rows);
        let (eps, width) = (self.eps, output.shape.last());
        let eps_bits = eps.to_bits() as usize;
        let constants = [("HALF", width / 2), ("EPS_BITS", eps_bits)];
        let twin = move |args: &mut Args<'_>| {
            let (dy, x, mean, variance) = (args.read(0), args.read(1), args.read(2), args.read(3));
            let parts = dy.chunks(chunk * channels).zip(x.chunks(chunk * channels));
            for (partial, (dy, x)) in args.write(0).chunks_exact_mut(width).zip(parts) {
                partial.fill(0.0);
                let (normalized, plain) = partial.split_at_mut(width / 2);
                add_rows(dy, &mut plain[..channels]);
                add_centered(dy, x, mean, &mut normalized[..channels]);
                for (sum, variance) in normalized.iter_mut().zip(variance) {
                    *sum *= 1.0 / (variance + eps).sqrt();
                }
            }
        };
        let lanes = Lanes::parts(rows, channels);
        let kernel = lanes.kernel("batch_norm_sums", SUMS_SHADER, &constants, 4, twin);
        Lowering::single(kernel, 4)
    }
}

/// Adds to `sums`, for each channel, `dy` times `x - mean` of every row.
fn add_centered(dy: &[f32], x: &[f32], mean: &[f32], sums: &mut [f32]) {
    let channels = sums.len();
    let (dy, x) = (dy.chunks_exact(4 * channels), x.chunks_exact(4 * channels));
    let last = dy.remainder().chunks_exact(channels);
    for (dy, x) in last.zip(x.remainder().chunks_exact(channels)) {
        for (sum, ((dy, x), mean)) in sums.iter_mut().zip(dy.iter().zip(x).zip(mean)) {
            *sum += dy * (x - mean);
        }
    }
    for (dy, x) in dy.zip(x) {
        let ([a, b, c, d], [e, f, g, h]) = (quarters(dy), quarters(x));
        let front = a.iter().zip(e).zip(b.iter().zip(f));
        let back = c.iter().zip(g).zip(d.iter().zip(h));
        for (sum, ((front, back), m)) in sums.iter_mut().zip(front.zip(back).zip(mean)) {
            let (((a, e), (b, f)), ((c, g), (d, h))) = (front, back);
            *sum += (a * (e - m) + b * (f - m)) + (c * (g - m) + d * (h - m));
        }
    }
}

impl Op for InputGradient {
    fn name(&self) -> &'static str {
        "batch_norm_gradient"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy, ..] = expect_inputs::<6>("batch_norm_gradient", inputs)?;
        Ok(dy.clone())
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let channels = output.shape.last();
        let rows = output.shape.elements() / channels.max(1);
        let (_, chunks) = statistics_chunks(rows);
        let (eps, half) = (self.eps, inputs[5].shape.last() / 2);
        let constants = [
            ("CHUNKS", chunks),
            ("HALF", half),
            ("EPS_BITS", eps.to_bits() as usize),
        ];
        let twin = move |args: &mut Args<'_>| {
            let (dy, x, mean, parts) = (args.read(0), args.read(1), args.read(2), args.read(5));
            let (variance, gamma) = (args.read(3), args.read(4));
            let (dx, [scale, slope, offset, sums]) =
                args.write_with_scratch(0, [channels, channels, channels, 2 * half]);
            sums.fill(0.0);
            add_rows(parts, sums);
            for c in 0..channels {
                let inverse = 1.0 / (variance[c] + eps).sqrt();
                scale[c] = gamma[c] * inverse;
                slope[c] = inverse * sums[c] / rows as f32;
                offset[c] = sums[half + c] / rows as f32;
            }
            let inputs = dy.chunks_exact(channels).zip(x.chunks_exact(channels));
            for (dx, (dy, x)) in dx.chunks_exact_mut(channels).zip(inputs) {
                let factors = scale.iter().zip(&*slope).zip(mean.iter().zip(&*offset));
                let values = dy.iter().zip(x).zip(factors);
                for (dx, ((dy, x), ((scale, slope), (mean, offset)))) in dx.iter_mut().zip(values) {
                    *dx = scale * (dy - offset - (x - mean) * slope);
                }
            }
        };
        let lanes = Lanes::merging(rows, channels);
        let name = "batch_norm_gradient";
        let kernel = lanes.kernel(name, GRADIENT_SHADER, &constants, 6, twin);
        Lowering::single(kernel, 6)
    }
}

pub(super) const SUMS_SHADER: &str = crate::wgsl!("../../shaders/batch_norm_sums.wgsl");
pub(super) const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/batch_norm_gradient.wgsl");
