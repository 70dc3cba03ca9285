//! The two halves of batch normalization's gradient: the sums over each channel, which are the
//! gradients of shift and scale, and with them the gradient of the input. Pushed by `batch_norm`
//! only, whose `infer` has accepted the shapes.

use crate::error::Result;
use crate::graph::{Call, Lowering, Op, Slot, expect_inputs};
use crate::program::{Args, Kernel, aligned};
use crate::tensor::Spec;

use super::rows::{add_rows, quarters};
use super::sum::{chunk_rows, sum_kernel};

/// From dy, x, mean, variance: `sum(dy (x - mean) / sqrt(variance + eps))` at word 0 and `sum(dy)` at word
/// `aligned(c)`, so that each half is a view.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    pub(super) eps: f32,
}

/// The gradient of the input, from dy, x, mean, variance, gamma and [`Sums`].
#[derive(Debug, Clone, Copy)]
pub(super) struct InputGradient {
    pub(super) eps: f32,
    pub(super) batch_statistics: bool,
}

impl Op for Sums {
    fn name(&self) -> &'static str {
        "batch_norm_sums"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [_, x, ..] = expect_inputs::<4>("batch_norm_sums", inputs)?;
        Ok(Spec::f32([2 * aligned(x.shape.last())]))
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let channels = inputs[1].shape.last();
        let rows = inputs[1].shape.elements() / channels.max(1);
        let (chunk, chunks) = chunk_rows(rows);
        let (eps, width) = (self.eps, output.shape.elements());
        let constants = [
            ("ROWS", rows),
            ("CHANNELS", channels),
            ("CHUNK", chunk),
            ("HALF", width / 2),
            ("EPS_BITS", eps.to_bits() as usize),
        ];
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
        let threads = chunks * channels;
        let kernel = Kernel::linear("batch_norm_sums", SUMS_SHADER, &constants, 4, threads, twin);
        let reads = (0..4).map(Slot::Input);
        let parts = Call {
            kernel,
            bindings: reads.chain([Slot::Scratch(0)]).collect(),
        };
        let total = Call {
            kernel: sum_kernel([1, chunks, width], chunks, 1.0),
            bindings: vec![Slot::Scratch(0), Slot::Output],
        };
        Lowering::Kernels {
            scratch: vec![chunks * width],
            calls: vec![parts, total],
        }
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
        let (n, channels) = (output.shape.elements(), inputs[1].shape.last());
        let half = inputs[5].shape.elements() / 2;
        let eps = self.eps;
        // With constant statistics the sums have no part in the input's gradient.
        let weight = match self.batch_statistics {
            true => channels as f32 / n as f32,
            false => 0.0,
        };
        let rows = n / channels.max(1);
        let constants = [
            ("ROWS", rows),
            ("CHANNELS", channels),
            ("HALF", half),
            ("EPS_BITS", eps.to_bits() as usize),
            ("ROWS_PER_THREAD", ROWS_PER_THREAD),
            ("WEIGHT_BITS", weight.to_bits() as usize),
        ];
        let twin = move |args: &mut Args<'_>| {
            let (dy, x, mean, sums) = (args.read(0), args.read(1), args.read(2), args.read(5));
            let (variance, gamma) = (args.read(3), args.read(4));
            let (dx, [scale, slope, offset]) = args.write_with_scratch(0, [channels; 3]);
            for c in 0..channels {
                let inverse = 1.0 / (variance[c] + eps).sqrt();
                scale[c] = gamma[c] * inverse;
                slope[c] = inverse * sums[c] * weight;
                offset[c] = sums[half + c] * weight;
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
        let kernel = Kernel::linear(
            "batch_norm_gradient",
            GRADIENT_SHADER,
            &constants,
            6,
            channels * rows.div_ceil(ROWS_PER_THREAD),
            twin,
        );
        Lowering::single(kernel, 6)
    }
}

/// Rows that share one reading of a channel's statistics.
const ROWS_PER_THREAD: usize = 8;

pub(super) const SUMS_SHADER: &str = crate::wgsl!("../../shaders/batch_norm_sums.wgsl");
pub(super) const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/batch_norm_gradient.wgsl");
