//! Which sums wait for their pack. A weight gradient is the sum of parts that its kernels leave in
//! memory; where only a pack reads it, the pack adds up the parts of all its inputs in one dispatch
//! instead of one each.

use std::sync::Arc;

use litemap::LiteMap;

use crate::error::Result;
use crate::graph::{Call, Graph, Lowering, Origin, Slot, ValueId};
use crate::ops::{Segment, sum_kernel, sum_parts_kernel, sum_parts_table};
use crate::program::aligned;

use super::{Compiler, Place};

/// A sum that its pack finishes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// The pack.
    pub(super) pack: ValueId,
    /// Its word in the pack.
    pub(super) to: usize,
    /// The word of its parts in the buffer that all temporaries with parts of this pack share.
    pub(super) from: usize,
}

/// The sums that wait, and the words of each pack's buffer of parts. `planned` says which values are to lie in
/// which pack.
fn plan(
    graph: &Graph,
    lowered: &[Option<Lowering>],
    planned: &LiteMap<ValueId, (ValueId, usize)>,
    outputs: &[ValueId],
) -> (LiteMap<ValueId, Waiting>, LiteMap<ValueId, usize>) {
    let mut readers = vec![Vec::new(); lowered.len()];
    for (index, value) in graph.values().iter().enumerate() {
        if let (Origin::Node { inputs, .. }, true) = (&value.origin, lowered[index].is_some()) {
            inputs
                .iter()
                .for_each(|input| readers[input.0].push(ValueId(index)));
        }
    }
    let mut waiting = LiteMap::new();
    let mut words = LiteMap::new();
    for (index, lowering) in lowered.iter().enumerate() {
        let id = ValueId(index);
        let (Some(Lowering::Parts { parts, scratch, .. }), Some(&(pack, to))) =
            (lowering, planned.get(&id))
        else {
            continue;
        };
        if readers[index] != [pack] || outputs.contains(&id) {
            continue;
        }
        let total = words.entry(pack).or_insert(0);
        let from = *total;
        waiting.insert(id, Waiting { pack, to, from });
        *total += aligned(scratch[*parts]);
    }
    (waiting, words)
}

/// The same work with a sum of its own at the end.
fn summed(lowering: Lowering, words: usize) -> Lowering {
    let Lowering::Parts {
        scratch,
        mut calls,
        parts,
        chunks,
    } = lowering
    else {
        return lowering;
    };
    calls.push(Call {
        kernel: sum_kernel([1, chunks, words], chunks, 1.0),
        bindings: vec![Slot::Scratch(parts), Slot::Output],
    });
    Lowering::Kernels { scratch, calls }
}

impl Compiler<'_> {
    /// Decides which sums wait for their packs, and gives all others a sum of their own.
    pub(super) fn plan_sums(&mut self, outputs: &[ValueId]) {
        let (waiting, words) = plan(self.graph, &self.lowered, &self.planned, outputs);
        for (pack, words) in words {
            let place = self.temporary(words.max(1));
            self.parts.insert(pack, place);
        }
        for index in 0..self.lowered.len() {
            if !waiting.contains_key(&ValueId(index)) {
                let words = self.words(ValueId(index));
                let lowering = self.lowered[index].take();
                self.lowered[index] = lowering.map(|lowering| summed(lowering, words));
            }
        }
        self.waiting = waiting;
    }

    /// Emits the kernels that leave the parts of node `id` for its pack.
    pub(super) fn emit_parts(
        &mut self,
        id: ValueId,
        inputs: &[ValueId],
        lowering: Lowering,
    ) -> Result<()> {
        let (
            Some(waiting),
            Lowering::Parts {
                scratch,
                calls,
                parts,
                chunks,
            },
        ) = (self.waiting.get(&id).copied(), lowering)
        else {
            unreachable!("sums that do not wait were given kernels")
        };
        let shared = self.parts[&waiting.pack];
        let operands = self.operands(inputs);
        let mut temporaries = Vec::new();
        for (slot, words) in scratch.into_iter().enumerate() {
            let place = match slot == parts {
                true => Place {
                    offset: waiting.from,
                    ..shared
                },
                false => self.temporary(words),
            };
            temporaries.push((place, words));
        }
        let segment = Segment {
            from: waiting.from,
            chunks,
            words: self.words(id),
            to: waiting.to,
        };
        self.ready.entry(waiting.pack).or_default().push(segment);
        // No call writes the output: the pack does.
        self.calls(calls, &operands, temporaries[parts], &temporaries)
    }

    /// Adds up all parts that wait for the pack `id`.
    pub(super) fn finish_sums(&mut self, id: ValueId, pack: Place, words: usize) -> Result<()> {
        let Some(segments) = self.ready.remove(&id) else {
            return Ok(());
        };
        let ends = segments
            .iter()
            .map(|segment| segment.from + segment.chunks * segment.words);
        let parts = (self.parts[&id], ends.max().unwrap_or(1));
        let table: Arc<[u32]> = sum_parts_table(&segments, words).into();
        let table = (self.constant(&table, table.len()), table.len());
        self.dispatch(sum_parts_kernel(words), vec![parts, table, (pack, words)])
    }
}
