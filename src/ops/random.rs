//! Randomness on the device: integer hashes of step and seed, the same on every backend.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

/// PCG output function (Jarzynski & Olano 2020, "Hash functions for GPU rendering").
pub(super) fn hash(value: u32) -> u32 {
    let state = value.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}

/// Uniform in 0..1, both excluded, for the step and seed of `counters` and an index: what the shaders of
/// augmentations call `uniform_at`. Different `salt`s give independent draws.
pub(super) fn uniform(counters: &[u32], salt: u32, index: u32) -> f32 {
    let salted = index.wrapping_add(salt.wrapping_mul(2_654_435_769));
    let bits = hash(counters[0] ^ hash(counters[1] ^ hash(salted)));
    ((bits >> 9) as f32 + 0.5) / (1 << 23) as f32
}

/// Checks the strengths `[8]` and counters of an augmentation.
pub(super) fn expect_strengths(place: &str, strengths: &Spec, counters: &Spec) -> Result<()> {
    expect_counters(place, counters)?;
    if *strengths == Spec::f32([8]) {
        return Ok(());
    }
    let found = strengths.to_string();
    Err(Error::mismatch(place, "strengths f32[8]", found))
}

/// Two uniform integers in `0..range` per step and seed.
#[derive(Debug, Clone, Copy)]
struct RandomOffsets {
    range: u32,
    salt: u32,
}

/// Two random integers in `0..range`, `u32[2]`, drawn anew for every value of the step counter.
/// `counters` is `u32[4]`: step, seed; different `salt`s give independent draws.
///
/// # Errors
/// When `range` is 0 or `counters` are not counters.
pub fn random_offsets(
    graph: &mut Graph,
    counters: ValueId,
    range: u32,
    salt: u32,
) -> Result<ValueId> {
    graph.push(RandomOffsets { range, salt }, &[counters])
}

/// Checks that `input` is step counters.
pub(super) fn expect_counters(place: &str, input: &Spec) -> Result<()> {
    let shape = expect_dtype(place, input, DType::U32)?;
    if shape.dims() == [4] {
        return Ok(());
    }
    Err(Error::mismatch(place, "counters u32[4]", input.to_string()))
}

impl Op for RandomOffsets {
    fn name(&self) -> &'static str {
        "random_offsets"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [counters] = expect_inputs("random_offsets", inputs)?;
        expect_counters("random_offsets", counters)?;
        if self.range == 0 {
            return Err(Error::mismatch("random_offsets", "a range above 0", "0"));
        }
        Ok(Spec::u32([2]))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        let Self { range, salt } = *self;
        let constants = [("RANGE", range as usize), ("SALT", salt as usize)];
        let twin = move |args: &mut Args<'_>| {
            let counters = args.read_words(0);
            for (axis, y) in (0..).zip(args.write_words(0)) {
                let salted = hash(salt.wrapping_mul(2).wrapping_add(axis));
                *y = hash(counters[0] ^ hash(counters[1] ^ salted)) % range;
            }
        };
        let kernel = Kernel::linear("random_offsets", SHADER, &constants, 1, 2, twin);
        Lowering::single(kernel, 1)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/random_offsets.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "random_offsets",
    doc: "Two random integers per step, the same on every backend.",
    shaders: &[("random_offsets", SHADER)],
    examples: || {
        let counters = |step, seed| vec![(Spec::u32([4]), vec![step, seed, 0, 0])];
        let example = |name, step, seed| {
            Example::new(name, Vec::new(), |g, x| random_offsets(g, x[0], 5, 7))
                .with_words(counters(step, seed))
                .forward_only()
        };
        vec![
            example("first step", 0, 0),
            example("later step", 1234, u32::MAX),
            Example::new("one value", Vec::new(), |g, x| {
                random_offsets(g, x[0], 1, 0)
            })
            .with_words(counters(3, 3))
            .forward_only(),
        ]
    },
};
