//! Which items of the dataset form a batch, found on the device from the step counter: a fresh
//! permutation of all items in every epoch for training, plain order for evaluation.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::Spec;

use super::random::{expect_counters, hash};

/// Items of one training batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct EpochIndices {
    pub(super) n_items: usize,
    batch: usize,
}

/// The items of a batch, and how they are found from the step's counters, if they are: who would rather find them
/// than wait for them can.
#[derive(Debug, Clone, Copy)]
pub struct Items {
    /// `u32[batch]`.
    pub indices: ValueId,
    pub(super) epoch: Option<(EpochIndices, ValueId)>,
}

impl From<ValueId> for Items {
    fn from(indices: ValueId) -> Self {
        let epoch = None;
        Self { indices, epoch }
    }
}

/// Items of one evaluation batch.
#[derive(Debug, Clone, Copy)]
struct SequentialIndices {
    batch: usize,
}

/// The items of this step's training batch, `u32[batch]`: in each epoch every item comes once, in an
/// order given by epoch and seed; items that do not fill a last batch wait for another epoch.
/// `counters` is `u32[4]`: step, seed. With fewer items than `batch`, items repeat.
///
/// # Errors
/// When there are no items, more than 2^31, or the batch is empty.
pub fn epoch_indices(
    graph: &mut Graph,
    counters: ValueId,
    n_items: usize,
    batch: usize,
) -> Result<ValueId> {
    Ok(epoch_items(graph, counters, n_items, batch)?.indices)
}

/// [`epoch_indices`], for ops that find them themselves.
///
/// # Errors
/// Those of [`epoch_indices`].
pub fn epoch_items(
    graph: &mut Graph,
    counters: ValueId,
    n_items: usize,
    batch: usize,
) -> Result<Items> {
    let epoch = EpochIndices { n_items, batch };
    Ok(Items {
        indices: graph.push(epoch, &[counters])?,
        epoch: Some((epoch, counters)),
    })
}

/// Items `step * batch ..` in order, `u32[batch]`; those at or past `n_items` are no items and are
/// left out by the ops that take them.
///
/// # Errors
/// When there are no items or the batch is empty.
pub fn sequential_indices(
    graph: &mut Graph,
    counters: ValueId,
    n_items: usize,
    batch: usize,
) -> Result<ValueId> {
    check(n_items, batch)?;
    graph.push(SequentialIndices { batch }, &[counters])
}

fn check(n_items: usize, batch: usize) -> Result<()> {
    const LIMIT: usize = 1 << 31;
    if (1..=LIMIT).contains(&n_items) && (1..=LIMIT).contains(&batch) {
        return Ok(());
    }
    let found = format!("{n_items} items in batches of {batch}");
    Err(Error::mismatch(
        "indices",
        "1 to 2^31 items and a batch of at least 1",
        found,
    ))
}

impl EpochIndices {
    /// What `shaders/epoch_items.wgsl` names, but for the batch.
    pub(super) fn constants(self) -> [(&'static str, usize); 3] {
        [
            ("ITEMS", self.n_items),
            ("STEPS", self.steps()),
            ("HALF_BITS", self.half_bits() as usize),
        ]
    }

    /// Steps of an epoch.
    fn steps(self) -> usize {
        (self.n_items / self.batch).max(1)
    }

    /// Writes the items of the step that `counters` say.
    pub(super) fn find(self, counters: &[u32], items: &mut [u32]) {
        let (step, steps) = (counters[0] as usize, self.steps());
        let key = hash(counters[1] ^ hash((step / steps) as u32));
        for (i, item) in items.iter_mut().enumerate() {
            let start = (step % steps * self.batch + i) % self.n_items;
            *item = self.permuted(start as u32, key);
        }
    }

    /// Half the bits of the smallest even power of two that holds all items.
    fn half_bits(self) -> u32 {
        let bits = usize::BITS - (self.n_items - 1).leading_zeros();
        bits.div_ceil(2).max(1)
    }

    /// Where the permutation of `key` sends `start`: 4 Feistel rounds, again and again until the
    /// result is an item. Each round trip is a bijection of the power of two, hence of the items.
    fn permuted(self, start: u32, key: u32) -> u32 {
        let half_bits = self.half_bits();
        let mask = (1 << half_bits) - 1;
        let mut x = start;
        loop {
            let (mut left, mut right) = (x >> half_bits, x & mask);
            for round in 0..4 {
                let mixed = hash(right ^ hash(key.wrapping_add(round))) & mask;
                (left, right) = (right, left ^ mixed);
            }
            x = (left << half_bits) | right;
            if (x as usize) < self.n_items {
                return x;
            }
        }
    }
}

impl Op for EpochIndices {
    fn name(&self) -> &'static str {
        "epoch_indices"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [counters] = expect_inputs("epoch_indices", inputs)?;
        expect_counters("epoch_indices", counters)?;
        check(self.n_items, self.batch)?;
        Ok(Spec::u32([self.batch]))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        let this = *self;
        let mut constants = self.constants().to_vec();
        constants.push(("BATCH", self.batch));
        let twin = move |args: &mut Args<'_>| this.find(args.read_words(0), args.write_words(0));
        let kernel = Kernel::linear(
            "epoch_indices",
            &format!("{ITEMS_SHADER}{EPOCH_SHADER}"),
            &constants,
            1,
            self.batch,
            twin,
        );
        Lowering::single(kernel, 1)
    }
}

impl Op for SequentialIndices {
    fn name(&self) -> &'static str {
        "sequential_indices"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [counters] = expect_inputs("sequential_indices", inputs)?;
        expect_counters("sequential_indices", counters)?;
        Ok(Spec::u32([self.batch]))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        let batch = self.batch;
        let twin = move |args: &mut Args<'_>| {
            let first = args.read_words(0)[0].wrapping_mul(batch as u32);
            for (i, y) in (0..).zip(args.write_words(0)) {
                *y = first.wrapping_add(i);
            }
        };
        let constants = [("BATCH", batch)];
        let kernel = Kernel::linear(
            "sequential_indices",
            SEQUENTIAL_SHADER,
            &constants,
            1,
            batch,
            twin,
        );
        Lowering::single(kernel, 1)
    }
}

const EPOCH_SHADER: &str = crate::wgsl!("../../shaders/epoch_indices.wgsl");
/// What finds the items, for kernels that bind the counters as `source`.
pub(super) const ITEMS_SHADER: &str = crate::wgsl!("../../shaders/epoch_items.wgsl");
const SEQUENTIAL_SHADER: &str = crate::wgsl!("../../shaders/sequential_indices.wgsl");

fn counters(step: u32, seed: u32) -> Vec<(Spec, Vec<u32>)> {
    vec![(Spec::u32([4]), vec![step, seed, 0, 0])]
}

pub(super) const EPOCH_INFO: OpInfo = OpInfo {
    name: "epoch_indices",
    doc: "The items of a training batch: a new permutation of the dataset in every epoch.",
    shaders: &[
        ("epoch_indices", EPOCH_SHADER),
        ("epoch_items", ITEMS_SHADER),
    ],
    examples: || {
        vec![
            Example::new("second epoch", Vec::new(), |g, x| {
                epoch_indices(g, x[0], 100, 7)
            })
            .with_words(counters(15, 3))
            .forward_only(),
            Example::new("many items", Vec::new(), |g, x| {
                epoch_indices(g, x[0], 60_000, 64)
            })
            .with_words(counters(936, u32::MAX))
            .forward_only(),
            Example::new("one item", Vec::new(), |g, x| epoch_indices(g, x[0], 1, 3))
                .with_words(counters(0, 0))
                .forward_only(),
        ]
    },
};

pub(super) const SEQUENTIAL_INFO: OpInfo = OpInfo {
    name: "sequential_indices",
    doc: "The items of an evaluation batch, in the dataset's order.",
    shaders: &[("sequential_indices", SEQUENTIAL_SHADER)],
    examples: || {
        vec![
            Example::new("last batch", Vec::new(), |g, x| {
                sequential_indices(g, x[0], 20, 7)
            })
            .with_words(counters(2, 0))
            .forward_only(),
            Example::new("one item", Vec::new(), |g, x| {
                sequential_indices(g, x[0], 1, 1)
            })
            .with_words(counters(0, 0))
            .forward_only(),
        ]
    },
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::EpochIndices;
    use crate::ops::random::hash;

    #[test]
    fn every_epoch_is_another_permutation() {
        for n_items in [1, 2, 7, 64, 1000, 60_000] {
            let indices = EpochIndices { n_items, batch: 1 };
            let order = |key| (0..n_items as u32).map(move |i| indices.permuted(i, key));
            let seen: BTreeSet<u32> = order(hash(1)).collect();
            assert_eq!(seen.len(), n_items, "each of {n_items} items once");
            assert!(seen.iter().all(|&item| (item as usize) < n_items));
            if n_items >= 64 {
                let moved = order(hash(1))
                    .zip(order(hash(2)))
                    .filter(|(a, b)| a != b)
                    .count();
                assert!(
                    moved > n_items / 2,
                    "{moved} of {n_items} differ between epochs"
                );
            }
        }
    }
}
