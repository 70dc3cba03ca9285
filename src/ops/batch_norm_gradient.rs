//! The two halves of batch normalization's gradient: the sums over each channel, which are the
//! gradients of shift and scale, and with them the gradient of the input. Pushed by `batch_norm`
//! only, whose `infer` has accepted the shapes.

use crate::error::Result;
use crate::graph::{Call, Lowering, Op, Slot, expect_inputs};
use crate::program::{Args, Kernel, aligned};
use crate::tensor::Spec;

use super::batch_norm::scales;
use super::sum::{chunk_rows, sum_kernel};

/// From dy, x, mean, variance: `sum(dy)` at word 0 and `sum(dy (x - mean) / sqrt(variance + eps))`
/// at word `aligned(c)`, so that each half is a view.
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
            let inverse = scales(variance, &vec![1.0; channels], eps);
            let parts = dy.chunks(chunk * channels).zip(x.chunks(chunk * channels));
            for (partial, (dy, x)) in args.write(0).chunks_exact_mut(width).zip(parts) {
                partial.fill(0.0);
                let (plain, normalized) = partial.split_at_mut(width / 2);
                for (dy, x) in dy.chunks_exact(channels).zip(x.chunks_exact(channels)) {
                    let sums = plain.iter_mut().zip(normalized.iter_mut());
                    let statistics = mean.iter().zip(&inverse);
                    let values = dy.iter().zip(x).zip(statistics);
                    for ((plain, normalized), ((dy, x), (mean, inverse))) in sums.zip(values) {
                        *plain += dy;
                        *normalized += dy * ((x - mean) * inverse);
                    }
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
        let constants = [
            ("ELEMENTS", n),
            ("CHANNELS", channels),
            ("HALF", half),
            ("EPS_BITS", eps.to_bits() as usize),
            ("WEIGHT_BITS", weight.to_bits() as usize),
        ];
        let twin = move |args: &mut Args<'_>| {
            let (dy, x, mean, sums) = (args.read(0), args.read(1), args.read(2), args.read(5));
            let inverse = scales(args.read(3), &vec![1.0; channels], eps);
            let scale = scales(args.read(3), args.read(4), eps);
            let slope: Vec<f32> = inverse
                .iter()
                .zip(&sums[half..])
                .map(|(inverse, sum)| inverse * sum * weight)
                .collect();
            let offset: Vec<f32> = sums[..channels].iter().map(|sum| sum * weight).collect();
            let inputs = dy.chunks_exact(channels).zip(x.chunks_exact(channels));
            for (dx, (dy, x)) in args.write(0).chunks_exact_mut(channels).zip(inputs) {
                let factors = scale.iter().zip(&slope).zip(mean.iter().zip(&offset));
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
            n,
            twin,
        );
        Lowering::single(kernel, 6)
    }
}

pub(super) const SUMS_SHADER: &str = include_str!("../../shaders/batch_norm_sums.wgsl");
pub(super) const GRADIENT_SHADER: &str = include_str!("../../shaders/batch_norm_gradient.wgsl");
