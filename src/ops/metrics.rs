//! Counting on the device, so that training and evaluation never wait for the host: the step counter,
//! the ring of recent losses, and an evaluation's totals and confusion matrix. All of these update
//! their state in place.

mod examples;

pub(super) use examples::{ADVANCE_INFO, CONFUSION_INFO, RECORD_INFO, TALLY_INFO};

use crate::error::{Error, Result};
use crate::graph::{Graph, Lowering, Op, ValueId, expect_dtype, expect_inputs};
use crate::program::Args;
use crate::tensor::{DType, Spec};

use super::mutating::{mutating_kernel, mutating_lowering};
use super::random::expect_counters;

/// Counts steps.
#[derive(Debug, Clone, Copy)]
struct Advance;

/// Remembers a step's metrics and counts it.
#[derive(Debug, Clone, Copy)]
struct Record;

/// Adds a batch to an evaluation's totals.
#[derive(Debug, Clone, Copy)]
struct Tally {
    n_items: usize,
}

/// Adds a batch to a confusion matrix.
#[derive(Debug, Clone, Copy)]
struct Confusion {
    n_items: usize,
}

/// Adds one to the step of `counters`, `u32[4]`.
///
/// # Errors
/// When they are not counters.
pub fn advance(graph: &mut Graph, counters: ValueId) -> Result<ValueId> {
    graph.push(Advance, &[counters])
}

/// Writes the means of `losses` and `corrects`, `[n]` each, into row `step % rows` of `ring`, `[rows, 4]`,
/// and adds one to the step of `counters`.
///
/// # Errors
/// When the shapes do not fit.
pub fn record(
    graph: &mut Graph,
    ring: ValueId,
    losses: ValueId,
    corrects: ValueId,
    counters: ValueId,
) -> Result<ValueId> {
    graph.push(Record, &[ring, losses, corrects, counters])
}

/// Adds the sums of `losses` and `corrects` and the number of rows to `totals`, `[4]`, leaving out the
/// rows whose index is not below `n_items`.
///
/// # Errors
/// When the shapes do not fit.
pub fn tally(
    graph: &mut Graph,
    totals: ValueId,
    losses: ValueId,
    corrects: ValueId,
    indices: ValueId,
    n_items: usize,
) -> Result<ValueId> {
    graph.push(Tally { n_items }, &[totals, losses, corrects, indices])
}

/// Adds one to `matrix[label, class of the largest logit]` for every row whose index is below
/// `n_items`; `matrix` is `u32[classes, classes]`.
///
/// # Errors
/// When the shapes do not fit.
pub fn confusion(
    graph: &mut Graph,
    matrix: ValueId,
    logits: ValueId,
    labels: ValueId,
    indices: ValueId,
    n_items: usize,
) -> Result<ValueId> {
    graph.push(Confusion { n_items }, &[matrix, logits, labels, indices])
}

fn expect(place: &str, wanted: Spec, found: &Spec) -> Result<()> {
    if *found == wanted {
        return Ok(());
    }
    Err(Error::mismatch(
        place,
        wanted.to_string(),
        found.to_string(),
    ))
}

impl Op for Advance {
    fn name(&self) -> &'static str {
        "advance"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [counters] = expect_inputs("advance", inputs)?;
        expect_counters("advance", counters)?;
        Ok(counters.clone())
    }

    fn mutates(&self) -> &'static [usize] {
        &[0]
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        let twin = |args: &mut Args<'_>| {
            let counters = args.write_words(0);
            counters[0] = counters[0].wrapping_add(1);
        };
        let kernel = mutating_kernel("advance", ADVANCE_SHADER, &[], [0, 1], 1, twin);
        mutating_lowering(kernel, &[], &[0])
    }
}

impl Op for Record {
    fn name(&self) -> &'static str {
        "record"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [ring, losses, corrects, counters] = expect_inputs("record", inputs)?;
        let [_, width] = expect_dtype("record", ring, DType::F32)?.two("record")?;
        if width != 4 {
            let found = ring.to_string();
            return Err(Error::mismatch("record", "a ring [rows, 4]", found));
        }
        let batch = Spec::f32([losses.shape.elements().max(1)]);
        expect("record losses", batch.clone(), losses)?;
        expect("record corrects", batch, corrects)?;
        expect_counters("record", counters)?;
        Ok(ring.clone())
    }

    fn mutates(&self) -> &'static [usize] {
        &[0, 3]
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let rows = output.shape.elements() / 4;
        let batch = inputs[1].shape.elements();
        let twin = move |args: &mut Args<'_>| {
            let (losses, corrects) = (args.read(0), args.read(1));
            let step = args.write_words(1)[0];
            let row = step as usize % rows * 4;
            args.write(0)[row] = losses.iter().sum::<f32>() / batch as f32;
            args.write(0)[row + 1] = corrects.iter().sum::<f32>() / batch as f32;
            args.write_words(1)[0] = step.wrapping_add(1);
        };
        let constants = [("ROWS", rows), ("BATCH", batch)];
        let kernel = mutating_kernel("record", RECORD_SHADER, &constants, [2, 2], 1, twin);
        mutating_lowering(kernel, &[1, 2], &[0, 3])
    }
}

impl Op for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [totals, losses, corrects, indices] = expect_inputs("tally", inputs)?;
        expect("tally totals", Spec::f32([4]), totals)?;
        let n = losses.shape.elements();
        expect("tally losses", Spec::f32([n]), losses)?;
        expect("tally corrects", Spec::f32([n]), corrects)?;
        expect("tally indices", Spec::u32([n]), indices)?;
        Ok(totals.clone())
    }

    fn mutates(&self) -> &'static [usize] {
        &[0]
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let n_items = self.n_items;
        let constants = [("BATCH", inputs[1].shape.elements()), ("ITEMS", n_items)];
        let twin = move |args: &mut Args<'_>| {
            let (losses, corrects) = (args.read(0), args.read(1));
            let indices = args.read_words(2);
            let mut sums = [0.0; 3];
            for (i, _) in indices
                .iter()
                .enumerate()
                .filter(|(_, i)| (**i as usize) < n_items)
            {
                sums = [sums[0] + losses[i], sums[1] + corrects[i], sums[2] + 1.0];
            }
            for (total, sum) in args.write(0).iter_mut().zip(sums) {
                *total += sum;
            }
        };
        let kernel = mutating_kernel("tally", TALLY_SHADER, &constants, [3, 1], 1, twin);
        mutating_lowering(kernel, &[1, 2, 3], &[0])
    }
}

impl Op for Confusion {
    fn name(&self) -> &'static str {
        "confusion"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [matrix, logits, labels, indices] = expect_inputs("confusion", inputs)?;
        let [n, classes] = expect_dtype("confusion", logits, DType::F32)?.two("confusion")?;
        expect("confusion matrix", Spec::u32([classes, classes]), matrix)?;
        expect("confusion labels", Spec::u32([n]), labels)?;
        expect("confusion indices", Spec::u32([n]), indices)?;
        Ok(matrix.clone())
    }

    fn mutates(&self) -> &'static [usize] {
        &[0]
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let classes = inputs[1].shape.last();
        let batch = inputs[2].shape.elements();
        let n_items = self.n_items;
        let constants = [("CLASSES", classes), ("BATCH", batch), ("ITEMS", n_items)];
        let twin = move |args: &mut Args<'_>| {
            let (logits, labels) = (args.read(0), args.read_words(1));
            let indices = args.read_words(2);
            for (i, row) in logits.chunks_exact(classes).enumerate() {
                let label = labels[i] as usize;
                if indices[i] as usize >= n_items || label >= classes {
                    continue;
                }
                let better = |best: usize, c: usize| if row[c] > row[best] { c } else { best };
                let best = (1..classes).fold(0, better);
                args.write_words(0)[label * classes + best] += 1;
            }
        };
        let kernel = mutating_kernel(
            "confusion",
            CONFUSION_SHADER,
            &constants,
            [3, 1],
            classes,
            twin,
        );
        mutating_lowering(kernel, &[1, 2, 3], &[0])
    }
}

pub(super) const ADVANCE_SHADER: &str = crate::wgsl!("../../shaders/advance.wgsl");
pub(super) const RECORD_SHADER: &str = crate::wgsl!("../../shaders/record.wgsl");
pub(super) const TALLY_SHADER: &str = crate::wgsl!("../../shaders/tally.wgsl");
pub(super) const CONFUSION_SHADER: &str = crate::wgsl!("../../shaders/confusion.wgsl");
