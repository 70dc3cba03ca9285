//! Smooth random displacements of pixels: the elastic distortion of Simard, Steinkraus & Platt 2003
//! ("Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis", section 2).

use crate::error::{Error, Result};
use crate::graph::{Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::Spec;

use super::affine_positions::{counters, strengths};
use super::random::{expect_strengths, uniform};

/// A displacement of every pixel.
#[derive(Debug, Clone, Copy)]
struct Elastic {
    extents: [usize; 3],
}

/// Keeps these draws apart from other ops'.
const SALT: u32 = 12;

/// Three times the widest sigma that is offered: what lies farther has no weight.
const REACH: usize = 18;

/// For `[images, height, width] = extents`, a displacement of every pixel as (rows, columns), `[n, h, w,
/// 2]`: uniform random numbers in -1..1, drawn for each image and step, smoothed by a Gaussian and
/// multiplied. `strengths` is `[8]`: alpha (the factor), sigma in pixels (at most 6), unused.
///
/// # Errors
/// When there are no pixels, or the shapes do not fit.
pub fn elastic_displacement(
    graph: &mut Graph,
    strengths: ValueId,
    counters: ValueId,
    extents: [usize; 3],
) -> Result<ValueId> {
    graph.push(Elastic { extents }, &[strengths, counters])
}

/// The weights of a pixel and its neighbors out to the reach on one side, summing to 1 over both.
fn weights(sigma: f32) -> ([f32; REACH + 1], usize) {
    let sigma = sigma.max(0.1);
    let reach = ((3.0 * sigma).ceil() as usize).min(REACH);
    let mut weights = [0.0; REACH + 1];
    for (k, weight) in weights.iter_mut().enumerate().take(reach + 1) {
        *weight = (-0.5 * (k * k) as f32 / (sigma * sigma)).exp();
    }
    let sum = 2.0 * weights.iter().sum::<f32>() - weights[0];
    weights.iter_mut().for_each(|weight| *weight /= sum);
    (weights, reach)
}

impl Op for Elastic {
    fn name(&self) -> &'static str {
        "elastic_displacement"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [strengths, counters] = expect_inputs("elastic_displacement", inputs)?;
        expect_strengths("elastic_displacement", strengths, counters)?;
        let [n, h, w] = self.extents;
        if n * h * w == 0 {
            let found = format!("{:?}", self.extents);
            return Err(Error::mismatch("elastic_displacement", "pixels", found));
        }
        Ok(Spec::f32([n, h, w, 2]))
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let [n, h, w] = self.extents;
        let tall = h + 2 * REACH;
        let rows_twin = move |args: &mut Args<'_>| {
            let (weights, reach) = weights(args.read(0)[1]);
            let counters = args.read_words(1);
            let wide = (w + 2 * REACH) * 2;
            let (rows, [noise]) = args.write_with_scratch(0, [wide]);
            for (line, row) in (0..).zip(rows.chunks_exact_mut(w * 2)) {
                for (i, noise) in (0..).zip(noise.iter_mut()) {
                    *noise = 2.0 * uniform(counters, SALT, line * wide as u32 + i) - 1.0;
                }
                for (i, y) in row.iter_mut().enumerate() {
                    let middle = i + 2 * REACH;
                    let pair = |k: usize| noise[middle - 2 * k] + noise[middle + 2 * k];
                    let sides: f32 = (1..=reach).map(|k| weights[k] * pair(k)).sum();
                    *y = weights[0] * noise[middle] + sides;
                }
            }
        };
        let columns_twin = move |args: &mut Args<'_>| {
            let (rows, strengths) = (args.read(0), args.read(1));
            let (weights, reach) = weights(strengths[1]);
            let pitch = w * 2;
            for (line, y) in args.write(0).chunks_exact_mut(pitch).enumerate() {
                let middle = line / h * tall + line % h + REACH;
                let row = |line: usize| &rows[line * pitch..][..pitch];
                let scaled = weights.map(|weight| strengths[0] * weight);
                for (y, x) in y.iter_mut().zip(row(middle)) {
                    *y = scaled[0] * x;
                }
                for (k, weight) in scaled.iter().enumerate().take(reach + 1).skip(1) {
                    let both = row(middle - k).iter().zip(row(middle + k));
                    for (y, (above, below)) in y.iter_mut().zip(both) {
                        *y += weight * (above + below);
                    }
                }
            }
        };
        let extents = [("IMAGES", n), ("HEIGHT", h), ("WIDTH", w), ("REACH", REACH)];
        let mut salted = extents.to_vec();
        salted.push(("SALT", SALT as usize));
        let words = n * tall * w * 2;
        let rows = Kernel::linear("elastic_rows", ROWS_SHADER, &salted, 2, words, rows_twin);
        let columns = Kernel::linear(
            "elastic_columns",
            COLUMNS_SHADER,
            &extents,
            2,
            output.shape.elements(),
            columns_twin,
        );
        let (strengths, counters, smoothed) = (Slot::Input(0), Slot::Input(1), Slot::Scratch(0));
        Lowering::Kernels {
            scratch: vec![words],
            calls: vec![
                Call {
                    kernel: rows,
                    bindings: vec![strengths, counters, smoothed],
                },
                Call {
                    kernel: columns,
                    bindings: vec![smoothed, strengths, Slot::Output],
                },
            ],
        }
    }
}

const ROWS_SHADER: &str = crate::wgsl!("../../shaders/elastic_rows.wgsl");
const COLUMNS_SHADER: &str = crate::wgsl!("../../shaders/elastic_columns.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "elastic_displacement",
    doc: "Smooth random displacements of pixels.",
    shaders: &[
        ("elastic_rows", ROWS_SHADER),
        ("elastic_columns", COLUMNS_SHADER),
    ],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| elastic_displacement(g, x[0], x[1], [2, 6, 5]);
        let one = |g: &mut Graph, x: &[ValueId]| elastic_displacement(g, x[0], x[1], [1, 1, 1]);
        let example = |name, values: &[f32], build| {
            Example::new(name, vec![strengths(values)], build)
                .with_words(counters(3, 9))
                .forward_only()
        };
        vec![
            example("smooth", &[34.0, 4.0], build),
            example("rough", &[8.0, 1.0], build),
            example("widest", &[100.0, 6.0], build),
            example("one pixel", &[34.0, 4.0], one),
            example("not a number", &[f32::NAN, 4.0], build),
        ]
    },
};
