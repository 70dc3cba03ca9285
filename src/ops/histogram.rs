//! How many numbers fall into each of several equal bins.

use crate::error::{Error, Result};
use crate::graph::{
    Call, Example, Graph, Lowering, Op, OpInfo, Slot, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec, Tensor};

use super::sum::{chunk_rows, sum_kernel};
use super::testing::{nan, wave};

/// `y[b]` is the number of elements in bin `b`.
#[derive(Debug, Clone, Copy)]
struct Histogram {
    bins: usize,
}

/// Counts the elements of `x` in `bins` equal bins between the two numbers of `range` `[2]`, the upper one included:
/// `[bins]`. What is not between them, or not a number, is in none; where they are the same, the first bin has all.
///
/// # Errors
/// When `x` has no elements, `range` is not two numbers, or there are no bins.
pub fn histogram(graph: &mut Graph, x: ValueId, range: ValueId, bins: usize) -> Result<ValueId> {
    graph.push(Histogram { bins }, &[x, range])
}

impl Op for Histogram {
    fn name(&self) -> &'static str {
        "histogram"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, range] = expect_inputs("histogram", inputs)?;
        let elements = expect_dtype("histogram", x, DType::F32)?.elements();
        if elements == 0 || *range != Spec::f32([2]) || self.bins == 0 {
            let expected = "numbers, a range of two numbers, and bins";
            let found = format!("{x}, {range} and {} bins", self.bins);
            return Err(Error::mismatch("histogram", expected, found));
        }
        Ok(Spec::f32([self.bins]))
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let (elements, bins) = (inputs[0].shape.elements(), self.bins);
        let (chunk, chunks) = chunk_rows(elements);
        let twin = move |args: &mut Args<'_>| {
            let (x, range) = (args.read(0), args.read(1));
            let (low, high) = (range[0], range[1]);
            let scale = if high > low {
                bins as f32 / (high - low)
            } else {
                0.0
            };
            let parts = args.write(0).chunks_exact_mut(bins);
            for (counts, x) in parts.zip(x.chunks(chunk)) {
                counts.fill(0.0);
                for &value in x.iter().filter(|&&x| x >= low && x <= high) {
                    // The conversion takes what is beyond the last bin, or no number, to an end.
                    let bin = ((value - low) * scale) as usize;
                    counts[bin.min(bins - 1)] += 1.0;
                }
            }
        };
        let constants = [("ELEMENTS", elements), ("BINS", bins), ("CHUNK", chunk)];
        let threads = chunks * bins;
        let parts = Call {
            kernel: Kernel::linear("histogram", SHADER, &constants, 2, threads, twin),
            bindings: vec![Slot::Input(0), Slot::Input(1), Slot::Scratch(0)],
        };
        let total = Call {
            kernel: sum_kernel([1, chunks, bins], chunks, 1.0),
            bindings: vec![Slot::Scratch(0), Slot::Output],
        };
        Lowering::Kernels {
            scratch: vec![threads],
            calls: vec![parts, total],
        }
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/histogram.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "histogram",
    doc: "How many numbers fall into each of several equal bins.",
    shaders: &[("histogram", SHADER)],
    examples: || {
        let build = |g: &mut Graph, x: &[ValueId]| histogram(g, x[0], x[1], 4);
        let range = |low: f32, high: f32| Tensor::from_fn([2], |i| [low, high][i]);
        let example = |name, x, range| Example::new(name, vec![x, range], build).forward_only();
        vec![
            example("some outside", wave([5, 7], 0.1), range(-0.7, 0.9)),
            example("in chunks", wave([300], 0.2), range(-1.0, 1.0)),
            example("one element", wave([1], 0.2), range(-1.0, 1.0)),
            example("no width", Tensor::from_fn([3], |_| 0.5), range(0.5, 0.5)),
            example("not a number", nan([12]), range(-1.0, 1.0)),
        ]
    },
};
