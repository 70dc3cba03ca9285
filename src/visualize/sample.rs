//! A seeded sample of the dataset that streams by on the device, one batch in each run of a program, and what
//! is kept of it: sums over all runs, and one row for each run.

use crate::error::Result;
use crate::field::Field;
use crate::graph::{Graph, ValueId};
use crate::ops;
use crate::tensor::Spec;
use crate::train::Batch;

use super::{Buffers, Request};

/// The batches of a sample.
#[derive(Debug)]
pub(super) struct Sample {
    /// Runs of the program.
    pub(super) runs: usize,
    /// This run's images and labels.
    pub(super) batch: Batch,
    /// In words: "512 train images".
    pub(super) said: String,
    /// Outside buffers and what they hold at first.
    pub(super) buffers: Buffers,
    counters: ValueId,
    /// `[1, runs]`: 1 at this run.
    run: ValueId,
}

/// The fields that [`Sample::new`] reads; `images` is the default.
pub(super) fn fields(images: f64) -> Vec<Field> {
    let doc = "Images of the sample, drawn by the seed; all of the split where it has fewer.";
    vec![
        split_field("test"),
        Field::integer("images", doc, 1.0, 100_000.0, images),
    ]
}

/// The choice of a split.
pub(super) fn split_field(default: &str) -> Field {
    Field::choice("split", "Which images.", &["test", "train"], default)
}

/// Images of a run of a network with `macs` multiply-adds for each, of `samples` in all: a few hundredths of a
/// second on one core, forward and back.
pub(super) fn batch_of(macs: u64, samples: usize) -> usize {
    /// Multiply-adds of a run.
    const RUN_MACS: u64 = 200_000_000;
    let batch = usize::try_from(RUN_MACS / macs.max(1) / 3).unwrap_or(usize::MAX);
    batch.clamp(2, 64).min(samples.max(1))
}

impl Sample {
    /// Adds the batches that `request` asks for to a graph.
    pub(super) fn new(request: &Request<'_>, g: &mut Graph) -> Result<Self> {
        let data = request.data()?;
        let split = request.values.choice("split")?;
        let n_items = data.len(&split)?;
        let wanted = request.values.integer("images")?.min(n_items);
        let runs = wanted.div_ceil(batch_of(request.network.macs(), wanted));
        // All batches are of one size, so a few images less than wanted may be seen.
        let batch = wanted / runs;
        let counters = g.external("sample counters", Spec::u32([4]))?;
        let indices = ops::epoch_indices(g, counters, n_items, batch)?;
        let step = ops::sequential_indices(g, counters, runs, 1)?;
        Ok(Self {
            runs,
            batch: data.gather(g, &split, indices)?,
            said: format!("{} {split} images", runs * batch),
            buffers: vec![("sample counters", vec![0, request.seed as u32, 0, 0])],
            counters,
            run: ops::one_hot(g, step, runs)?,
        })
    }

    /// `share` added up over all runs.
    pub(super) fn total(
        &mut self,
        g: &mut Graph,
        name: &'static str,
        share: ValueId,
    ) -> Result<ValueId> {
        let (total, buffer) = total(g, name, share)?;
        self.buffers.push(buffer);
        Ok(total)
    }

    /// A table with a row for each run: `[runs, width]` from `row` of `width` elements; rows to come are zero.
    pub(super) fn rows(
        &mut self,
        g: &mut Graph,
        name: &'static str,
        row: ValueId,
    ) -> Result<ValueId> {
        let width = g.shape(row).elements();
        let row = ops::reshape(g, row, [1, width])?;
        let share = ops::matmul(g, self.run, row, true, false)?;
        self.total(g, name, share)
    }

    /// Ends a run; which runs have been, `[1, runs]`, is 1 there.
    pub(super) fn advance(&mut self, g: &mut Graph) -> Result<ValueId> {
        let done = self.total(g, "sample runs", self.run)?;
        ops::advance(g, self.counters)?;
        Ok(done)
    }
}

/// `share` added up over all runs in the outside buffer `name`, and what that holds at first.
pub(super) fn total(
    g: &mut Graph,
    name: &'static str,
    share: ValueId,
) -> Result<(ValueId, (&'static str, Vec<u32>))> {
    let shape = g.shape(share).clone();
    let words = shape.elements();
    let state = g.external(name, Spec::f32(shape.clone()))?;
    let ones = g.constant(shape, &vec![1.0; words])?;
    let total = ops::running_average(g, state, share, ones, ones)?;
    Ok((total, (name, vec![0; words])))
}
