//! Limits on gradients before an optimizer takes them: on each value, and on the norm of all together
//! (Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural networks").

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{
    Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Access, Args, Kernel, wgsl_with};
use crate::tensor::{DType, Spec, Tensor};

use super::sum::chunk_rows;
use super::testing::{nan, wave};

/// `y = scale * clamp(g, -value, value)`, scale such that `|y| <= norm`.
#[derive(Debug, Clone, Copy)]
struct ClipGradients;

/// Limits each of `gradients` to at most `limits[1]` in size, then scales all of them so that their
/// norm is at most `limits[0]`; `limits` is `[2]`, a limit of 0 is none.
///
/// # Errors
/// When there are no gradients, or `limits` are not two floats.
pub fn clip_gradients(graph: &mut Graph, gradients: ValueId, limits: ValueId) -> Result<ValueId> {
    graph.push(ClipGradients, &[gradients, limits])
}

/// `gradient` limited to `limit` in size, if that is above 0. NaN stays NaN.
fn limited(gradient: f32, limit: f32) -> f32 {
    if limit > 0.0 && gradient.abs() > limit {
        limit.copysign(gradient)
    } else {
        gradient
    }
}

impl Op for ClipGradients {
    fn name(&self) -> &'static str {
        "clip_gradients"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [gradients, limits] = expect_inputs("clip_gradients", inputs)?;
        let n = expect_dtype("clip_gradients", gradients, DType::F32)?.elements();
        if *limits != Spec::f32([2]) || n == 0 {
            let found = format!("{gradients} and {limits}");
            return Err(Error::mismatch(
                "clip_gradients",
                "gradients and f32[2]",
                found,
            ));
        }
        Ok(gradients.clone())
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let (chunk, chunks) = chunk_rows(n);
        let squares_twin = move |args: &mut Args<'_>| {
            let (gradients, limit) = (args.read(0).chunks(chunk), args.read(1)[1]);
            for (sum, gradients) in args.write(0).iter_mut().zip(gradients) {
                let square = |&gradient: &f32| limited(gradient, limit).powi(2);
                *sum = gradients.iter().map(square).sum();
            }
        };
        let squares = Kernel {
            name: "clip_squares",
            wgsl: wgsl_with(&[("ELEMENTS", n), ("CHUNK", chunk)], SQUARES_SHADER),
            accesses: vec![Access::Read, Access::Read, Access::Write],
            workgroups: [chunks as u32, 1, 1],
            tiled: None,
            run: None,
            twin: Arc::new(squares_twin),
        };
        let twin = |args: &mut Args<'_>| {
            let (gradients, limits, sums) = (args.read(0), args.read(1), args.read(2));
            let norm = sums.iter().sum::<f32>().sqrt();
            let scale = if limits[0] > 0.0 && norm > limits[0] {
                limits[0] / norm
            } else {
                1.0
            };
            for (y, &gradient) in args.write(0).iter_mut().zip(gradients) {
                *y = limited(gradient, limits[1]) * scale;
            }
        };
        let constants = [("ELEMENTS", n), ("CHUNKS", chunks)];
        let clip = Kernel::linear("clip_gradients", SHADER, &constants, 3, n, twin);
        let (gradients, limits, sums) = (Slot::Input(0), Slot::Input(1), Slot::Scratch(0));
        Lowering::Kernels {
            scratch: vec![chunks],
            calls: vec![
                Call {
                    kernel: squares,
                    bindings: vec![gradients, limits, sums],
                },
                Call {
                    kernel: clip,
                    bindings: vec![gradients, limits, sums, Slot::Output],
                },
            ],
        }
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/clip_gradients.wgsl");
const SQUARES_SHADER: &str = crate::wgsl!("../../shaders/clip_squares.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "clip_gradients",
    doc: "Gradients limited in their values and in the norm of all together.",
    shaders: &[("clip_gradients", SHADER), ("clip_squares", SQUARES_SHADER)],
    examples: || {
        let example = |name, gradients, limits: [f32; 2]| {
            let limits = Tensor::from_fn([2], |i| limits[i]);
            Example::new(name, vec![gradients, limits], |g, x| {
                clip_gradients(g, x[0], x[1])
            })
            .forward_only()
        };
        vec![
            example("by norm", wave([300], 0.1), [2.0, 0.0]),
            example("by value", wave([300], 0.1), [0.0, 0.5]),
            example("by both", wave([20_000], 0.1), [2.0, 0.5]),
            example("within both", wave([300], 0.1), [1e6, 1e6]),
            example("one gradient", wave([1], 2.0), [0.5, 0.0]),
            example("not a number", nan([6]), [2.0, 0.5]),
        ]
    },
};
