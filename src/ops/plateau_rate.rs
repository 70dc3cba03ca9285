//! The learning rate of a step where it drops whenever the training loss no longer does. The judgment
//! is made on the device at the end of each epoch, so that it falls on the same step however many
//! steps go into one submit.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::Args;
use crate::tensor::Spec;

use super::learning_rate::expect_rate;
use super::mutating::{mutating_kernel, mutating_lowering};
use super::random::expect_counters;
use super::sgd::settings;
use super::testing::{nan, wave};

/// `ReduceLROnPlateau` of PyTorch on the mean training loss of an epoch: mode "min", relative threshold.
#[derive(Debug, Clone, Copy)]
struct PlateauRate;

/// What [`plateau_rate`] is made of.
#[derive(Debug, Clone, Copy)]
pub struct Plateau {
    /// Where the optimizer's settings of this step go, `[8]`.
    pub current: ValueId,
    /// The ring of metrics, `[rows, 4]`; the rate goes into column 2.
    pub ring: ValueId,
    /// Its memory, `[8]`, zeros at first.
    pub state: ValueId,
    /// The optimizer's settings, `[8]`.
    pub settings: ValueId,
    /// `[8]`: steps per epoch, factor of a drop, patience in epochs, relative threshold, smallest
    /// factor, unused.
    pub judge: ValueId,
    /// The losses of this step's batch, `[n]`.
    pub losses: ValueId,
    /// The step counter.
    pub counters: ValueId,
}

/// Brings the optimizer's settings of this step into `current`: the learning rate is multiplied by
/// `judge[1]` (down to `judge[4]` in all) whenever the mean loss of more than `judge[2]` epochs in a
/// row was not below the best one by the share `judge[3]`.
///
/// # Errors
/// When the shapes do not fit.
pub fn plateau_rate(graph: &mut Graph, of: &Plateau) -> Result<ValueId> {
    let inputs = [
        of.current,
        of.ring,
        of.state,
        of.settings,
        of.judge,
        of.losses,
        of.counters,
    ];
    graph.push(PlateauRate, &inputs)
}

/// Counts an epoch of mean loss `mean` in `state` and returns the new factor.
fn judged(state: &mut [f32], judge: &[f32], mean: f32, factor: f32) -> f32 {
    let is_better = state[4] == 0.0 || mean < state[1] * (1.0 - judge[3]);
    (state[0], state[4]) = (0.0, state[4] + 1.0);
    if is_better {
        (state[1], state[2]) = (mean, 0.0);
        return factor;
    }
    state[2] += 1.0;
    if state[2] > judge[2] {
        state[2] = 0.0;
        return (factor * judge[1]).max(judge[4]);
    }
    factor
}

impl Op for PlateauRate {
    fn name(&self) -> &'static str {
        "plateau_rate"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [current, ring, state, settings, judge, losses, counters] =
            expect_inputs("plateau_rate", inputs)?;
        expect_rate("plateau_rate", &[current, state, settings, judge], ring)?;
        expect_counters("plateau_rate", counters)?;
        if losses.shape.elements() == 0 {
            let found = losses.to_string();
            return Err(Error::mismatch("plateau_rate", "at least one loss", found));
        }
        Ok(current.clone())
    }

    fn mutates(&self) -> &'static [usize] {
        &[0, 1, 2]
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let rows = inputs[1].shape.elements() / 4;
        let batch = inputs[5].shape.elements();
        let twin = move |args: &mut Args<'_>| {
            let (settings, judge) = (args.read(0), args.read(1));
            let (losses, step) = (args.read(2), args.read_words(3)[0]);
            let [current, ring, state] = args.write_all();
            let mut factor = if state[3] > 0.0 { state[3] } else { 1.0 };
            current.copy_from_slice(settings);
            current[0] = settings[0] * factor;
            ring[step as usize % rows * 4 + 2] = current[0];
            state[0] += losses.iter().sum::<f32>() / batch as f32;
            let steps = (judge[0] as u32).max(1);
            if step.wrapping_add(1) % steps == 0 {
                let mean = state[0] / steps as f32;
                factor = judged(state, judge, mean, factor);
            }
            state[3] = factor;
        };
        let constants = [("ROWS", rows), ("BATCH", batch)];
        let kernel = mutating_kernel("plateau_rate", SHADER, &constants, [4, 3], 1, twin);
        mutating_lowering(kernel, &[3, 4, 5, 6], &[0, 1, 2])
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/plateau_rate.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "plateau_rate",
    doc: "The optimizer's settings with a learning rate that drops when the training loss does not.",
    shaders: &[("plateau_rate", SHADER)],
    examples: || {
        let example = |name, state, step: u32, losses| {
            let base = settings([0.1, 0.9, 0.01, 0.8, 0.7, 1e-8, 1.0, 0.5]);
            let judge = settings([5.0, 0.1, 1.0, 1e-3, 1e-2, 0.0, 0.0, 0.0]);
            let mut inputs = vec![wave([8], 0.1), wave([4, 4], 0.3), settings(state)];
            inputs.extend([base, judge, losses]);
            let counters = vec![(Spec::u32([4]), vec![step, 7, 0, 0])];
            Example::new(name, inputs, |g, x| {
                let of = Plateau {
                    current: x[0],
                    ring: x[1],
                    state: x[2],
                    settings: x[3],
                    judge: x[4],
                    losses: x[5],
                    counters: x[6],
                };
                plateau_rate(g, &of)
            })
            .with_words(counters)
            .forward_only()
        };
        vec![
            example("within an epoch", [0.0; 8], 2, wave([6], 2.0)),
            example(
                "first epoch ends",
                [3.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
                4,
                wave([6], 0.5),
            ),
            example(
                "no better",
                [3.0, 0.1, 0.0, 0.5, 3.0, 0.0, 0.0, 0.0],
                9,
                wave([6], 0.5),
            ),
            example(
                "patience ends",
                [3.0, 0.1, 1.0, 0.5, 3.0, 0.0, 0.0, 0.0],
                9,
                wave([6], 0.5),
            ),
            example(
                "smallest factor",
                [3.0, 0.1, 1.0, 0.02, 3.0, 0.0, 0.0, 0.0],
                9,
                wave([6], 0.5),
            ),
            example("one loss", [0.0; 8], 4, wave([1], 0.5)),
            example(
                "not a number",
                [0.0, 0.5, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0],
                4,
                nan([6]),
            ),
        ]
    },
};
