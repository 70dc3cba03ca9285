//! Whether something that is done every few steps is due: a step counter on the device as a factor.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::Spec;

use super::random::expect_counters;

/// 1 in the steps that end a period, else 0.
#[derive(Debug, Clone, Copy)]
struct Every {
    period: u32,
    idle: u32,
}

/// `[1]`: 0 in the first `idle` of every `period` steps, 1 in the others. The number of steps done is the
/// first of `counters` `u32[4]`.
///
/// # Errors
/// When `period` is 0 or `counters` are not counters.
pub fn every(graph: &mut Graph, counters: ValueId, period: u32, idle: u32) -> Result<ValueId> {
    graph.push(Every { period, idle }, &[counters])
}

impl Op for Every {
    fn name(&self) -> &'static str {
        "every"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [counters] = expect_inputs("every", inputs)?;
        expect_counters("every", counters)?;
        if self.period == 0 {
            return Err(Error::mismatch("every", "a period above 0", "0"));
        }
        Ok(Spec::f32([1]))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        let Self { period, idle } = *self;
        let twin = move |args: &mut Args<'_>| {
            let step = args.read_words(0)[0] % period;
            args.write(0)[0] = f32::from(u8::from(step >= idle));
        };
        let constants = [("PERIOD", period as usize), ("IDLE", idle as usize)];
        Lowering::single(Kernel::linear("every", SHADER, &constants, 1, 1, twin), 1)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/every.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "every",
    doc: "1 in the last of every few steps, else 0.",
    shaders: &[("every", SHADER)],
    examples: || {
        let example = |name, step| {
            let counters = vec![(Spec::u32([4]), vec![step, 0, 0, 0])];
            Example::new(name, Vec::new(), |g, x| every(g, x[0], 4, 2))
                .with_words(counters)
                .forward_only()
        };
        let always = Example::new("one value", Vec::new(), |g, x| every(g, x[0], 1, 0))
            .with_words(vec![(Spec::u32([4]), vec![6, 0, 0, 0])])
            .forward_only();
        vec![
            example("due", 6),
            example("not due", 9),
            example("after 2^32", u32::MAX),
            always,
        ]
    },
};
