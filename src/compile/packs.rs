//! Packs: which kernels write straight into one, and what is copied. A part of a pack that a kernel computes, or that is a view
//! of what a kernel computes, needs no copy if the kernel's output can lie in the pack so that all its
//! parts are where they belong.

use std::ops::Range;

use litemap::LiteMap;

use crate::error::Result;
use crate::graph::{Graph, Lowering, Origin, ValueId};
use crate::ops::copy_kernel;

use super::{Compiler, Place};

/// For each producer that has a place in a pack: which pack, and from which word on.
pub(super) fn plan(
    graph: &Graph,
    lowered: &[Option<Lowering>],
) -> LiteMap<ValueId, (ValueId, usize)> {
    let mut planned = LiteMap::new();
    for (index, value) in graph.values().iter().enumerate() {
        let (Origin::Node { inputs, .. }, Some(Lowering::Pack { offsets })) =
            (&value.origin, &lowered[index])
        else {
            continue;
        };
        let mut parts: LiteMap<ValueId, Vec<Part>> = LiteMap::new();
        let mut taken = Vec::new();
        for (&input, &offset) in inputs.iter().zip(offsets) {
            let words = graph.shape(input).elements();
            let producer = producer(graph, lowered, input);
            taken.push((
                offset..offset + words,
                producer.map(|(producer, _)| producer),
            ));
            if let Some((producer, within)) = producer {
                parts
                    .entry(producer)
                    .or_default()
                    .push(Part { offset, within });
            }
        }
        let size = value.spec.shape.elements();
        for (producer, parts) in parts {
            let words = graph.shape(producer).elements();
            let first = common_start(&parts).filter(|&first| {
                let range = first..first + words;
                let is_foreign = |(other, owner): &(Range<usize>, Option<ValueId>)| {
                    *owner != Some(producer) && other.start < range.end && range.start < other.end
                };
                range.end <= size && !taken.iter().any(is_foreign)
            });
            if let Some(first) = first {
                planned.entry(producer).or_insert((ValueId(index), first));
            }
        }
    }
    planned
}

/// Where a part lies in the pack, and where in its producer's output.
struct Part {
    offset: usize,
    within: usize,
}

/// The one place of the producer's output from which all its parts are where they belong.
fn common_start(parts: &[Part]) -> Option<usize> {
    let mut starts = parts
        .iter()
        .map(|part| part.offset.checked_sub(part.within));
    let first = starts.next()??;
    starts.all(|start| start == Some(first)).then_some(first)
}

/// The node whose kernels write `value`, seen through views, and where in its output `value` begins.
fn producer(
    graph: &Graph,
    lowered: &[Option<Lowering>],
    value: ValueId,
) -> Option<(ValueId, usize)> {
    let Origin::Node { op, inputs } = &graph.value(value).origin else {
        return None;
    };
    match &lowered[value.0] {
        Some(Lowering::Kernels { .. } | Lowering::Parts { .. } | Lowering::Map)
            if op.mutates().is_empty() =>
        {
            Some((value, 0))
        }
        Some(Lowering::Alias { offset }) => {
            let (producer, within) = producer(graph, lowered, inputs[0])?;
            Some((producer, within + offset))
        }
        _ => None,
    }
}

impl Compiler<'_> {
    /// The temporary behind a pack, made when its first part or the pack itself is emitted. It is
    /// never shared, so that its padding stays zero.
    fn pack_place(&mut self, pack: ValueId, words: usize) -> Place {
        if let Some(&place) = self.places.get(&pack) {
            return place;
        }
        let place = self.temporary(words);
        self.keep(place);
        self.places.insert(pack, place);
        place
    }

    /// Finishes the sums that waited for pack `id`, and copies what does not lie in it yet.
    pub(super) fn emit_pack(
        &mut self,
        id: ValueId,
        inputs: &[ValueId],
        offsets: &[usize],
        words: usize,
    ) -> Result<Place> {
        let pack = self.pack_place(id, words);
        self.finish_sums(id, pack, words)?;
        for (&input, &offset) in inputs.iter().zip(offsets) {
            // A sum that has just been finished has no other place.
            let Some(&there) = self.places.get(&input) else {
                continue;
            };
            if there.root == pack.root && there.offset == offset {
                continue;
            }
            let words = self.graph.shape(input).elements();
            let target = Place {
                root: pack.root,
                offset,
            };
            let mut source = there;
            if there.root == pack.root {
                // The same value twice in one pack: no dispatch may read what it writes.
                source = self.temporary(words);
                self.dispatch(copy_kernel(words), vec![(there, words), (source, words)])?;
            }
            self.dispatch(copy_kernel(words), vec![(source, words), (target, words)])?;
        }
        Ok(pack)
    }

    /// Into its pack if one waits for it and none of its operands lies there too, else anywhere.
    pub(super) fn output_place(
        &mut self,
        id: ValueId,
        words: usize,
        operands: &[(Place, usize)],
    ) -> Place {
        if let Some(&(pack, offset)) = self.planned.get(&id) {
            let pack_words = self.graph.shape(pack).elements();
            let root = self.pack_place(pack, pack_words).root;
            if operands.iter().all(|(operand, _)| operand.root != root) {
                return Place { root, offset };
            }
        }
        self.temporary(words)
    }
}
