//! Random masks for dropout and its kin: each element is kept with a fixed probability, decided on the device
//! by a hash of step, seed, stream and index, and scaled so that its expectation is 1 ("inverted"
//! dropout). The mask is a value of the graph, so the gradient multiplies by the very same one.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::{Shape, Spec};

use super::random::{expect_counters, hash};

/// `1 / keep` with probability `keep`, 0 otherwise; anew for every step.
#[derive(Debug, Clone)]
struct Bernoulli {
    shape: Shape,
    keep: f32,
    stream: u32,
}

/// A mask of `shape`, drawn anew for every value of the step counter: `1 / keep` with probability `keep` in
/// steps of 2^-24, 0 otherwise. `counters` is `u32[4]`: step, seed; different `stream`s give independent
/// masks.
///
/// # Errors
/// When `keep` is not above 0 and at most 1, or `counters` are not counters.
pub fn bernoulli(
    graph: &mut Graph,
    counters: ValueId,
    shape: impl Into<Shape>,
    keep: f32,
    stream: u32,
) -> Result<ValueId> {
    let shape = shape.into();
    graph.push(
        Bernoulli {
            shape,
            keep,
            stream,
        },
        &[counters],
    )
}

impl Op for Bernoulli {
    fn name(&self) -> &'static str {
        "bernoulli"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [counters] = expect_inputs("bernoulli", inputs)?;
        expect_counters("bernoulli", counters)?;
        if !(self.keep > 0.0 && self.keep <= 1.0) || self.shape.elements() == 0 {
            let expected = "a probability above 0, at most 1, and elements";
            let found = format!("{} of {}", self.keep, self.shape);
            return Err(Error::mismatch("bernoulli", expected, found));
        }
        Ok(Spec::f32(self.shape.clone()))
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let (keep, stream) = (self.keep, self.stream);
        let (threshold, scale) = ((keep * RANGE).round() as u32, 1.0 / keep);
        let elements = output.shape.elements();
        let constants = [
            ("ELEMENTS", elements),
            ("THRESHOLD", threshold as usize),
            ("STREAM", stream as usize),
            ("SCALE_BITS", scale.to_bits() as usize),
        ];
        let twin = move |args: &mut Args<'_>| {
            let counters = args.read_words(0);
            let key = hash(counters[0] ^ hash(counters[1] ^ hash(stream)));
            for (i, y) in (0_u32..).zip(args.write(0)) {
                let kept = hash(hash(i) ^ key) >> 8 < threshold;
                *y = if kept { scale } else { 0.0 };
            }
        };
        let kernel = Kernel::linear("bernoulli", SHADER, &constants, 1, elements, twin);
        Lowering::single(kernel, 1)
    }
}

/// Numbers that a draw takes, 2^24: as many as an f32 tells apart below 1.
const RANGE: f32 = 16_777_216.0;

const SHADER: &str = crate::wgsl!("../../shaders/bernoulli.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "bernoulli",
    doc: "A random mask per step whose elements are kept with a fixed probability.",
    shaders: &[("bernoulli", SHADER)],
    examples: || {
        let counters = |step, seed| vec![(Spec::u32([4]), vec![step, seed, 0, 0])];
        let example = |name, step, seed| {
            Example::new(name, Vec::new(), |g, x| bernoulli(g, x[0], [7, 30], 0.7, 9))
                .with_words(counters(step, seed))
                .forward_only()
        };
        vec![
            example("first step", 0, 0),
            example("later step", 1234, u32::MAX),
            Example::new("one element", Vec::new(), |g, x| {
                bernoulli(g, x[0], [1], 1.0, u32::MAX)
            })
            .with_words(counters(3, 3))
            .forward_only(),
        ]
    },
};

#[cfg(test)]
mod tests {
    use super::bernoulli;
    use crate::graph::{Graph, Lowering, Origin};
    use crate::program::{Args, Scratch};
    use crate::tensor::Spec;

    /// The mask of one step.
    fn mask(step: u32, stream: u32, keep: f32) -> Vec<f32> {
        let mut graph = Graph::new();
        let counters = graph.external("counters", Spec::u32([4])).unwrap();
        let id = bernoulli(&mut graph, counters, [10_000], keep, stream).unwrap();
        let Origin::Node { op, .. } = &graph.value(id).origin else {
            panic!("a node");
        };
        let lowering = op.lower(&[Spec::u32([4])], graph.spec(id));
        let Lowering::Kernels { calls, .. } = lowering else {
            panic!("a kernel");
        };
        let mut y = vec![0; 10_000];
        let counters = [step, 5, 0, 0];
        let reads: [&[u32]; 1] = [&counters];
        let mut writes: [&mut [u32]; 1] = [&mut y];
        let mut scratch = Scratch::default();
        (calls[0].kernel.twin)(&mut Args::new(&reads, &mut writes, &mut scratch));
        y.into_iter().map(f32::from_bits).collect()
    }

    #[test]
    fn a_mask_has_its_mean_and_no_memory() {
        let masks = [mask(0, 1, 0.8), mask(1, 1, 0.8), mask(0, 2, 0.8)];
        for mask in &masks {
            let mean = mask.iter().sum::<f32>() / mask.len() as f32;
            // Four standard deviations of the mean: sqrt(0.2 / 0.8 / 10,000).
            assert!((mean - 1.0).abs() < 0.02, "mean {mean}");
            assert!(mask.iter().all(|&m| m == 0.0 || m == 1.25), "0 or 1 / 0.8");
        }
        // Independent masks agree at 0.8^2 + 0.2^2 of the elements.
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let both = masks[a].iter().zip(&masks[b]);
            let same = both.filter(|(x, y)| x == y).count() as f32 / 1e4;
            assert!((same - 0.68).abs() < 0.02, "masks {a} and {b}: {same}");
        }
        assert_eq!(mask(3, 1, 0.5), mask(3, 1, 0.5));
    }
}
